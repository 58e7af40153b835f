//! What a refused login tells: nothing by its bytes, and as good as nothing by the time that it takes.

use attack::seeded::{SeedOnFailure, seed};
use attack::size::{figure, progress};
use attack::statistics::{mann_whitney, median};
use attack::{Arena, Isolation, Seeded, Size};
use harness::Answer;
use harness::authenticator::STEP_SECONDS;
use harness::client::Request;
use harness::deadline::timed;
use harness::journey::{Account, another_password};

/// The refusals that have to look alike (design, section 5).
struct Refusals {
    known: Account,
    waiting: Account,
    expired: Account,
    renewing: Account,
    suspended: Account,
    deleted: Account,
    pending: (String, String),
    wrong: String,
}

/// What somebody can get without the password, and then what needs it.
const WITHOUT_THE_PASSWORD: [&str; 8] =
    ["unknown name", "wrong password", "pending", "waiting", "suspended", "expired", "renewing", "deleted"];
const WITH_THE_PASSWORD: [&str; 2] = ["wrong code", "used code"];

impl Refusals {
    fn of(arena: &Arena) -> Self {
        let running = &arena.running;
        let travel = running.database.time_travel();
        let [known, waiting, expired, renewing, suspended, deleted] =
            ["known", "waits", "lapsed", "renews", "barred", "leaves"].map(|hint| running.account(hint));
        travel.set_wrong_codes(&waiting.username, 90);
        let code = running.wrong_code(&waiting);
        running.client.login(&waiting.username, &waiting.password, &code).refused(401, "invalid_credentials");
        let _token = running.renewal_token(&expired);
        let renewal = running.client.start_with(&renewing.username, &running.renewal_token(&renewing));
        let _password = running.client.password(&renewal.reveal);
        travel.suspend(&suspended.username);
        assert_eq!(running.delete(&deleted).status, 204);
        let start = running.client.start(&running.username("begun"));
        let pending = (start.username.clone(), running.client.password(&start.reveal));
        let wrong = another_password(&known.password);
        Self { known, waiting, expired, renewing, suspended, deleted, pending, wrong }
    }

    /// A request that is refused for this reason. All of them are of the same length. `used` is the time of a code that
    /// was used up.
    fn request<'arena>(&self, arena: &'arena Arena, reason: &str, used: u64) -> Request<'arena> {
        let now = arena.database().now();
        let fresh = self.known.authenticator.code_at(now + STEP_SECONDS);
        let (name, password, code) = match reason {
            "unknown name" => ("nobody-0", &self.wrong, fresh),
            "wrong password" => (&*self.known.username, &self.wrong, fresh),
            "pending" => (&*self.pending.0, &self.pending.1, fresh),
            "waiting" => (&*self.waiting.username, &self.wrong, fresh),
            "suspended" => (&*self.suspended.username, &self.wrong, fresh),
            "expired" => (&*self.expired.username, &self.wrong, fresh),
            "renewing" => (&*self.renewing.username, &self.wrong, fresh),
            "deleted" => (&*self.deleted.username, &self.wrong, fresh),
            "wrong code" => {
                let wrong = self.known.authenticator.wrong_code_at(now);
                (&*self.known.username, &self.known.password, wrong)
            }
            "used code" => {
                (&*self.known.username, &self.known.password, self.known.authenticator.code_at(used))
            }
            other => panic!("no such reason: {other}"),
        };
        arena.running.client.login_request(name, password, &code)
    }
}

/// Uses up the code of this moment, which it returns, and takes back the wrong codes that were counted.
fn prepare(arena: &Arena, account: &Account) -> u64 {
    let now = arena.database().now();
    arena.database().time_travel().set_wrong_codes(&account.username, 0);
    arena.database().time_travel().use_up_codes(&account.username);
    now
}

#[test]
fn refused_logins_look_alike_and_take_alike() {
    let size = Size::of_this_run();
    let samples = size.pick(5, 2000);
    let seed = seed();
    let _said = SeedOnFailure(seed);
    let mut seeded = Seeded::new(seed);
    let arena = Arena::start(Isolation::AsShipped);
    let refusals = Refusals::of(&arena);
    let reasons = [&WITHOUT_THE_PASSWORD[..], &WITH_THE_PASSWORD[..]].concat();
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); reasons.len()];
    let mut first: Option<Answer> = None;
    // The first ones warm the connection, the pool and the plans up.
    for sample in 0..samples + samples / 10 {
        let used = prepare(&arena, &refusals.known);
        let mut order: Vec<usize> = (0..reasons.len()).collect();
        seeded.shuffle(&mut order);
        for reason in order {
            let request = refusals.request(&arena, reasons[reason], used);
            let (answer, time) = timed(|| request.send());
            let first = first.get_or_insert_with(|| answer.without_date());
            assert_eq!(answer.without_date(), *first, "{}", reasons[reason]);
            if sample >= samples / 10 {
                times[reason].push(time.as_secs_f64() * 1000.0);
            }
        }
        if sample % 200 == 199 {
            progress(&format!("{} of {samples} samples of each refusal", sample + 1));
        }
    }
    first.unwrap().refused(401, "invalid_credentials");
    if size == Size::Full {
        judge(&reasons, &times);
    }
}

fn judge(reasons: &[&str], times: &[Vec<f64>]) {
    let medians: Vec<f64> = times.iter().map(|times| median(times)).collect();
    for (reason, median) in reasons.iter().zip(&medians) {
        figure(&format!("{reason}: median {median:.3} ms"));
    }
    let without = WITHOUT_THE_PASSWORD.len();
    let pairs: Vec<(usize, usize)> =
        (0..without).flat_map(|one| (one + 1..without).map(move |other| (one, other))).collect();
    // One wrong alarm in a hundred runs, shared out among the pairs (Bonferroni).
    let level = 0.01 / pairs.len() as f64;
    let mut faults = Vec::new();
    for (one, other) in pairs {
        let gap = (medians[one] - medians[other]).abs();
        let chance = mann_whitney(&times[one], &times[other]);
        progress(&format!("{} / {}: gap {gap:.3} ms, p {chance:.4}", reasons[one], reasons[other]));
        if gap >= 2.0 || chance < level {
            faults.push(format!("{} / {}: gap {gap:.3} ms, p {chance:.6}", reasons[one], reasons[other]));
        }
    }
    // Somebody who has the password, and only they, may learn by the time that it is right (SECURITY.md).
    let known = reasons.iter().position(|reason| *reason == "wrong password").unwrap();
    for reason in without..reasons.len() {
        let gap = medians[reason] - medians[known];
        figure(&format!("{} is {gap:.3} ms slower than a wrong password", reasons[reason]));
        if gap.abs() >= 4.0 {
            faults.push(format!("{}: {gap:.3} ms", reasons[reason]));
        }
    }
    assert!(faults.is_empty(), "at level {level:.6}: {faults:#?}");
}
