//! Whatever is called by whomever in whatever order: the journey is what the design says, and a token opens its own door.

use std::collections::BTreeSet;

use attack::arena::early_in_a_step;
use attack::seeded::seed;
use attack::size::{figure, progress};
use attack::walk::{Step, Walk, beginning, walks};
use attack::{Arena, Isolation, Size, arena};
use harness::authenticator::STEP_SECONDS;
use harness::contract::Contract;
use harness::journey::{Account, Start};
use harness::shared::Running;
use harness::{App, Config, TestDatabase, quiet};
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Value, json};

#[test]
fn whoever_calls_whatever_in_whatever_order_gets_what_the_model_says() {
    let size = Size::of_this_run();
    let (cases, longest) = (size.pick(25, 1000), size.pick(15, 40));
    let seed = seed();
    progress(&format!("To repeat this: ATTACK_SEED={seed}"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = proptest::test_runner::Config {
        cases: u32::try_from(cases).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 500,
        ..proptest::test_runner::Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let arena = arena(Isolation::AsShipped);
    let (taken, steps) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let outcome = runner.run(&walks(longest), |(begun, rest)| {
        taken.set(taken.get() + 1);
        steps.set(steps.get() + begun + rest.len());
        if taken.get() % 100 == 0 {
            progress(&format!("{} of {cases} walks", taken.get()));
        }
        walk(arena, begun, &rest).map_err(TestCaseError::fail)
    });
    if let Err(error) = outcome {
        panic!("{error}\n(the first number says how many steps of the journey were taken before)");
    }
    arena.database().assert_sound();
    figure(&format!("{cases} walks, {} steps", steps.get()));
}

fn walk(arena: &Arena, begun: usize, rest: &[Step]) -> Result<(), String> {
    let mut walk = Walk::new(arena);
    for (number, step) in beginning(begun).iter().chain(rest).enumerate() {
        walk.take(*step).map_err(|difference| format!("step {} ({step:?}): {difference}", number + 1))?;
    }
    Ok(())
}

/// A live token of each purpose, and one of each that is dead.
struct Tokens {
    active: Account,
    start: Start,
    expired: Account,
    renewal: String,
    finished: Account,
}

impl Tokens {
    fn of(running: &Running) -> Self {
        let start = running.client.start(&running.username("door-start"));
        let expired = running.account("door-expired");
        let renewal = running.renewal_token(&expired);
        let finished = running.account("door-finished");
        assert_eq!(running.client.logout(&finished.session).status, 204);
        Self { active: running.account("door-active"), start, expired, renewal, finished }
    }

    /// Whose it is, what it is good for as the document calls it, and the token.
    fn all(&self) -> [(&str, &'static str, &str); 8] {
        [
            (&self.active.username, "session", &self.active.session),
            (&self.start.username, "enrollment", &self.start.enrollment),
            (&self.start.username, "reveal", &self.start.reveal),
            (&self.expired.username, "renewal", &self.renewal),
            (&self.expired.username, "dead session", &self.expired.session),
            (&self.finished.username, "dead session", &self.finished.session),
            (&self.finished.username, "dead enrollment", &self.finished.start.enrollment),
            (&self.finished.username, "used reveal", &self.finished.start.reveal),
        ]
    }
}

#[test]
fn a_token_opens_no_door_but_its_own() {
    let running = quiet();
    let tokens = Tokens::of(&running);
    let before = running.database.fingerprint().without_events();
    let mut tried = 0;
    for (path, method, operation) in Contract::get().operations() {
        let schemes = schemes(&operation);
        for (name, purpose, token) in tokens.all() {
            if schemes.contains(purpose) || schemes.is_empty() {
                continue;
            }
            // As what the operation asks for: a cookie, or a Bearer.
            let mut request = running.client.request(&method, &path.replace("{id}", NOBODYS_ID));
            let is_cookie = schemes.contains("session");
            request = if is_cookie { request.session(token) } else { request.bearer(token) };
            if operation["requestBody"]["required"] == json!(true) {
                request = request.json(&body(&operation, name));
            }
            let code = if is_cookie { "session_invalid" } else { "token_invalid" };
            let answer = request.send();
            assert_eq!((answer.status, answer.code().as_str()), (401, code), "{method} {path}, {purpose}");
            tried += 1;
        }
    }
    for (_, purpose, token) in tokens.all().iter().filter(|(_, purpose, _)| !purpose.contains("reveal")) {
        let answer = running.client.reveal(token);
        assert_eq!((answer.status, answer.code().as_str()), (404, "token_unknown"), "{purpose}");
        tried += 1;
    }
    assert_eq!(running.database.fingerprint().without_events(), before, "nothing was changed or used up");
    assert!(tried > 50, "the document has operations that ask for tokens: {tried}");
    figure(&format!("{tried} doors"));
}

/// An id of the right form.
const NOBODYS_ID: &str = "018f2f3e-0000-7000-8000-000000000000";

/// The security schemes of an operation by name; none of one that asks for nothing.
fn schemes(operation: &Value) -> BTreeSet<&str> {
    let alternatives = operation["security"].as_array().unwrap().iter();
    alternatives.flat_map(|scheme| scheme.as_object().unwrap().keys()).map(String::as_str).collect()
}

/// A body that the operation would look at.
fn body(operation: &Value, name: &str) -> Value {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let value = |field: &str| match field {
        "username" => name.to_owned(),
        "code" => "123456".to_owned(),
        _ => "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!".to_owned(),
    };
    let fields = schema["properties"].as_object().unwrap().keys();
    Value::Object(fields.map(|field| (field.clone(), json!(value(field)))).collect())
}

/// There is one clock, the database's (design, section 5): a node whose own clock is wrong judges as the others do.
#[test]
fn a_process_whose_clock_is_wrong_judges_as_the_others_do() {
    const DAY: i64 = 24 * 3600;
    for ahead in [90, -DAY, 200 * DAY] {
        let database = TestDatabase::fresh();
        let other = App::start(&database);
        let right = other.client();
        let wrong = Config::over(&database).with_clock_ahead(ahead);
        let running = Running::with(database, &wrong);
        let travel = running.database.time_travel();
        let account = running.account("clock");
        let told = running.client.session(&account.session).ok(200);
        assert_eq!(told["expires_at"], right.session(&account.session).ok(200)["expires_at"]);
        let expires_at = running.database.seconds(told["expires_at"].as_str().unwrap());
        assert!(running.database.six_months_from_now().abs_diff(expires_at) <= 60, "{told}");

        let now = early_in_a_step(&running.database);
        for (steps, status) in [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)] {
            travel.forget_used_steps(&account.username);
            let time = now.checked_add_signed(steps * STEP_SECONDS.cast_signed()).unwrap();
            let code = account.authenticator.code_at(time);
            let answer = running.client.login(&account.username, &account.password, &code);
            assert_eq!(answer.status, status, "{ahead} s ahead, {steps} steps: {answer:?}");
        }
        travel.expire_credentials(&account.username);
        right.session(&account.session).refused(401, "session_invalid");
        running.client.session(&account.session).refused(401, "session_invalid");
        running.login(&account).refused(403, "credentials_expired");
    }
}

#[test]
fn what_ends_in_a_moment_is_good_until_then_and_not_a_second_longer() {
    let running = &arena(Isolation::AsShipped).running;
    let travel = running.database.time_travel();
    // As many seconds as a busy machine may take for one request.
    const MOMENT: u32 = 20;
    let start = running.client.start(&running.username("moment"));
    travel.start_ends_in(&start.username, MOMENT);
    assert_eq!(running.client.poll(&start.enrollment).status, 200);
    let account = running.activate(start);
    travel.credentials_end_in(&account.username, MOMENT);
    assert_eq!(running.login(&account).status, 200);
    assert_eq!(running.client.session(&account.session).status, 200);
    travel.expire_credentials(&account.username);
    running.client.session(&account.session).refused(401, "session_invalid");
    running.login(&account).refused(403, "credentials_expired");
}
