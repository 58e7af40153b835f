//! Fifty requests in one moment, over two server processes, at every isolation that an operator might set. How many win
//! is counted twice: in the answers, and in the rows.

use attack::arena::{AT_ONCE, early_in_a_step};
use attack::history::Guessing;
use attack::seeded::{SeedOnFailure, seed};
use attack::size::figure;
use attack::{Arena, Isolation, Seeded, Size, arena};
use harness::Answer;
use harness::authenticator::STEP_SECONDS;
use harness::barrier::{tally, together, together_with};
use harness::journey::{Account, Enrolled, Start, another_password, started, text};
use harness::rows::Standing;

/// Runs a race at every isolation, several times, and looks through the whole database after each.
fn at_every_isolation(race: impl Fn(&'static Arena)) {
    let rounds = Size::of_this_run().pick(1, 20);
    for isolation in Isolation::ALL {
        let arena = arena(isolation);
        for _ in 0..rounds {
            race(arena);
            arena.database().assert_sound();
        }
    }
    figure(&format!("{rounds} rounds of {AT_ONCE} at each of {} isolations", Isolation::ALL.len()));
}

/// A start whose password was shown and whose second factor waits for its first code.
fn ready(arena: &Arena, start: Start) -> (Start, String, Enrolled) {
    let password = arena.running.client.password(&start.reveal);
    let enrolled = arena.running.client.enrolled(&start.enrollment);
    (start, password, enrolled)
}

fn winners(answers: &[Answer]) -> Vec<&Answer> {
    answers.iter().filter(|answer| answer.status < 300).collect()
}

/// Half of them, and as many of these for the one process as for the other.
fn half(number: usize) -> bool {
    number % 4 < 2
}

/// The events of an account since there were this many. Where each attempt was judged it left exactly one.
fn history(arena: &Arena, account: &Account, since: usize, attempts: usize) -> Vec<String> {
    let events = arena.database().time_travel().events(&account.username).split_off(since);
    if arena.is_exact() {
        assert_eq!(events.len(), attempts, "every attempt leaves one event: {events:?}");
    }
    events
}

#[test]
fn of_many_registrations_of_one_name_in_all_its_spellings_one_wins() {
    at_every_isolation(|arena| {
        let name = arena.running.username("race.Name");
        let capitals = name.to_uppercase();
        let spellings = [
            name.clone(),
            capitals.clone(),
            format!(" {name}"),
            format!("{capitals}\t"),
            format!("\u{3000}{name}\u{a0}"),
        ];
        let stored = name.to_lowercase();
        // The second time the name is that of a start that nobody finished.
        for _ in 0..2 {
            let answers = together(
                arena.volley(|client, number| client.start_request(&spellings[number % spellings.len()])),
            );
            arena.assert_answers(&answers, [(201, "", 1), (409, "username_taken", AT_ONCE - 1)]);
            let standing = arena.database().standing(&stored);
            let begun = i64::from(standing.start.is_some());
            assert_eq!((standing.live, begun, standing.sessions), (0, 1, 0));
            let start = started(winners(&answers)[0]);
            assert_eq!(arena.client(1).poll(&start.enrollment).status, 200, "the winner's token is good");
            arena.database().time_travel().expire_start(&stored);
        }
    });
}

#[test]
fn of_many_reveals_of_one_code_one_shows_the_password_and_it_works() {
    at_every_isolation(|arena| {
        let start = arena.running.client.start(&arena.running.username("race-reveal"));
        let answers = together(arena.volley(|client, _| client.reveal_request(&start.reveal)));
        arena.assert_answers(&answers, [(200, "", 1), (410, "token_used", AT_ONCE - 1)]);
        let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 410).collect();
        assert!(refused.windows(2).all(|pair| pair[0].without_date() == pair[1].without_date()));
        let password = text(&winners(&answers)[0].json(), "password");
        let phone = arena.running.client.enrolled(&start.enrollment).authenticator;
        let code = phone.code_at(arena.database().now());
        assert_eq!(arena.client(1).confirm(&start.enrollment, &password, &code).status, 200);
    });
}

#[test]
fn a_code_that_was_replaced_while_many_revealed_it_is_dead_and_the_last_password_is_the_only_one() {
    at_every_isolation(|arena| {
        let start = arena.running.client.start(&arena.running.username("race-reissue"));
        let answers = together(arena.volley(|client, number| match half(number) {
            true => client.start_request(&start.username).bearer(&start.enrollment),
            false => client.reveal_request(&start.reveal),
        }));
        arena.assert_only(&answers, &[(200, ""), (201, ""), (410, "token_used"), (404, "token_unknown")]);
        let shown: Vec<String> = answers
            .iter()
            .filter(|answer| answer.status == 200)
            .map(|answer| text(&answer.json(), "password"))
            .collect();
        assert!(shown.len() <= 1, "one code shows one password: {:?}", tally(&answers));
        let codes: Vec<Start> = answers.iter().filter(|answer| answer.status == 201).map(started).collect();
        arena.running.client.reveal(&start.reveal).refused(404, "token_unknown");
        let good: Vec<Answer> = codes
            .iter()
            .map(|code| arena.running.client.reveal(&code.reveal))
            .filter(|answer| answer.status == 200)
            .collect();
        assert_eq!(good.len(), 1, "of many new codes one is good");
        let password = text(&good[0].json(), "password");
        let phone = arena.running.client.enrolled(&start.enrollment).authenticator;
        let code = phone.code_at(arena.database().now());
        for old in &shown {
            arena.client(1).confirm(&start.enrollment, old, &code).refused(401, "invalid_credentials");
        }
        assert_eq!(arena.client(1).confirm(&start.enrollment, &password, &code).status, 200);
    });
}

#[test]
fn of_many_secrets_asked_for_at_once_the_last_one_activates_and_no_other() {
    at_every_isolation(|arena| {
        let start = arena.running.client.start(&arena.running.username("race-secret"));
        let password = arena.running.client.password(&start.reveal);
        let answers = together(arena.volley(|client, _| client.enroll_request(&start.enrollment)));
        arena.assert_only(&answers, &[(201, ""), (409, "superseded")]);
        let now = arena.database().now();
        let codes: Vec<String> = winners(&answers)
            .iter()
            .map(|answer| harness::Authenticator::scan(&text(&answer.json(), "otpauth_uri")).code_at(now))
            .collect();
        assert!(!codes.is_empty());
        let mut activated = 0;
        for code in codes {
            let answer = arena.client(activated).confirm(&start.enrollment, &password, &code);
            activated += usize::from(answer.status == 200);
            // Each loser's code is a wrong one; after five of them the start would wait.
            if answer.code() == "invalid_credentials" {
                arena.database().time_travel().set_wrong_codes_of_the_start(&start.username, 0);
            }
        }
        assert_eq!(activated, 1);
    });
}

#[test]
fn of_many_activations_with_one_code_one_activates_and_the_code_is_used_up() {
    at_every_isolation(|arena| {
        let start = arena.running.client.start(&arena.running.username("race-confirm"));
        let (start, password, enrolled) = ready(arena, start);
        let code = enrolled.authenticator.code_at(arena.database().now());
        let answers =
            together(arena.volley(|client, _| client.confirm_request(&start.enrollment, &password, &code)));
        arena.assert_only(&answers, &[(200, ""), (401, "token_invalid"), (409, "superseded")]);
        assert_eq!(winners(&answers).len(), 1, "{:?}", tally(&answers));
        let standing = arena.database().standing(&start.username);
        assert_eq!((standing.live, standing.sessions, standing.start), (1, 1, None));
        arena.client(1).login(&start.username, &password, &code).refused(401, "invalid_credentials");
        let session = winners(&answers)[0].session();
        assert_eq!(arena.client(1).session(&session).status, 200);
    });
}

#[test]
fn of_many_logins_with_one_code_one_opens_a_session() {
    at_every_isolation(|arena| {
        let account = arena.running.account("race-login");
        let code = arena.running.fresh_code(&account);
        let since = arena.database().time_travel().events(&account.username).len();
        let answers = together(
            arena.volley(|client, _| client.login_request(&account.username, &account.password, &code)),
        );
        arena.assert_answers(&answers, [(200, "", 1), (401, "invalid_credentials", AT_ONCE - 1)]);
        let standing = arena.database().standing(&account.username);
        assert_eq!((standing.sessions, standing.wrong_codes), (2, 0), "the activation's and the login's");
        let events = history(arena, &account, since, AT_ONCE);
        assert_eq!(events.iter().filter(|event| *event == "login/ok").count(), 1);
        assert_eq!(arena.client(1).session(&winners(&answers)[0].session()).status, 200);
    });
}

#[test]
fn codes_of_neighbouring_steps_open_one_session_each_at_the_most_and_never_an_older_after_a_newer() {
    at_every_isolation(|arena| {
        let account = arena.running.account("race-steps");
        arena.database().time_travel().forget_used_steps(&account.username);
        let now = early_in_a_step(arena.database());
        let times = [now - STEP_SECONDS, now, now + STEP_SECONDS];
        let codes = times.map(|time| account.authenticator.code_at(time));
        let answers = together(arena.volley(|client, number| {
            client.login_request(&account.username, &account.password, &codes[number % codes.len()])
        }));
        arena.assert_only(&answers, &[(200, ""), (401, "invalid_credentials")]);
        for step in 0..codes.len() {
            let of_step = answers.iter().skip(step).step_by(codes.len());
            let opened = of_step.filter(|answer| answer.status == 200).count();
            assert!(opened <= 1, "the code of step {step} opened {opened} sessions");
            assert!(opened == 1 || step < 2 || !arena.is_exact(), "the newest code is never too old");
        }
        let standing = arena.database().standing(&account.username);
        assert_eq!(standing.wrong_codes, 0, "a used code is no guess");
        assert_eq!(standing.sessions, i64::try_from(1 + winners(&answers).len()).unwrap());
        for code in &codes[..2] {
            arena
                .client(1)
                .login(&account.username, &account.password, code)
                .refused(401, "invalid_credentials");
        }
    });
}

#[test]
fn of_many_renewals_with_one_token_one_starts() {
    at_every_isolation(|arena| {
        let account = arena.running.account("race-renewal");
        let token = arena.running.renewal_token(&account);
        let answers =
            together(arena.volley(|client, _| client.start_request(&account.username).bearer(&token)));
        arena.assert_answers(&answers, [(201, "", 1), (401, "token_invalid", AT_ONCE - 1)]);
        let start = started(winners(&answers)[0]);
        let standing = arena.database().standing(&account.username);
        assert_eq!((standing.live, standing.renewal_tokens), (1, 0));
        let renewed = arena.running.activate(start);
        assert_ne!(renewed.password, account.password);
        assert_old_credentials_are_dead(arena, &account);
    });
}

fn assert_old_credentials_are_dead(arena: &Arena, old: &Account) {
    arena.database().time_travel().forget_used_steps(&old.username);
    let code = arena.running.code(old);
    arena.client(1).login(&old.username, &old.password, &code).refused(401, "invalid_credentials");
    arena.client(0).session(&old.session).refused(401, "session_invalid");
}

#[test]
fn a_login_beside_the_activation_of_a_renewal_leaves_nothing_of_the_old_credentials() {
    at_every_isolation(|arena| {
        let account = arena.running.account("race-replaced");
        let token = arena.running.renewal_token(&account);
        let start = arena.running.client.start_with(&account.username, &token);
        let (start, password, enrolled) = ready(arena, start);
        let [old, new] =
            [arena.running.fresh_code(&account), enrolled.authenticator.code_at(arena.database().now())];
        let answers = together(arena.volley(|client, number| match half(number) {
            true => client.login_request(&account.username, &account.password, &old),
            false => client.confirm_request(&start.enrollment, &password, &new),
        }));
        let allowed = [
            (200, ""),
            (401, "invalid_credentials"),
            (403, "credentials_expired"),
            (401, "token_invalid"),
            (409, "superseded"),
        ];
        arena.assert_only(&answers, &allowed);
        let counted = tally(&answers);
        assert_eq!(winners(&answers).len(), 1, "{counted:?}");
        let tokens = answers.iter().filter(|answer| answer.code() == "credentials_expired");
        let tokens: Vec<String> = tokens.map(|answer| text(&answer.json(), "renewal_token")).collect();
        assert!(tokens.len() <= 1, "the old code is good once: {counted:?}");
        for token in &tokens {
            let late = arena.client(1).start_request(&account.username).bearer(token).send();
            late.refused(401, "token_invalid");
        }
        let standing = arena.database().standing(&account.username);
        assert_eq!((standing.live, standing.sessions, standing.renewal_tokens), (1, 1, 0));
        assert_old_credentials_are_dead(arena, &account);
    });
}

#[test]
fn no_session_of_a_login_beside_a_suspension_is_good_then_or_after_the_release() {
    at_every_isolation(|arena| {
        let account = arena.running.account("race-suspended");
        let code = arena.running.fresh_code(&account);
        let requests =
            arena.volley(|client, _| client.login_request(&account.username, &account.password, &code));
        let travel = arena.database().time_travel();
        let answers = together_with(requests, || travel.suspend(&account.username));
        let allowed = [(200, ""), (401, "invalid_credentials"), (403, "account_suspended")];
        arena.assert_only(&answers, &allowed);
        assert!(winners(&answers).len() <= 1, "{:?}", tally(&answers));
        let sessions: Vec<String> = winners(&answers).iter().map(|answer| answer.session()).collect();
        let assert_dead = || {
            for session in sessions.iter().chain([&account.session]) {
                arena.client(1).session(session).refused(401, "session_invalid");
            }
        };
        assert_eq!(travel.state(&account.username).as_deref(), Some("suspended"));
        assert_dead();
        travel.release(&account.username);
        assert_dead();
        assert_eq!(arena.database().standing(&account.username).sessions, 0);
        assert_eq!(arena.running.login(&account).status, 200);
    });
}

/// Nothing is left of an account but its events; its sessions are dead in both processes, and its name is taken.
fn assert_is_gone(arena: &Arena, account: &Account, sessions: &[String]) {
    assert_eq!(arena.database().standing(&account.username), Standing::default());
    for session in sessions.iter().chain([&account.session]) {
        for process in 0..2 {
            arena.client(process).session(session).refused(401, "session_invalid");
        }
    }
    arena.client(0).start_request(&account.username).send().refused(409, "username_taken");
}

#[test]
fn of_many_deletions_with_one_code_one_deletes() {
    at_every_isolation(|arena| {
        let account = arena.running.account("race-deletion");
        let code = arena.running.fresh_code(&account);
        let answers =
            together(arena.volley(|client, _| {
                client.delete_account_request(&account.session, &account.password, &code)
            }));
        arena.assert_answers(&answers, [(204, "", 1), (401, "session_invalid", AT_ONCE - 1)]);
        assert_is_gone(arena, &account, &[]);
    });
}

#[test]
fn a_login_beside_a_deletion_leaves_no_session_that_is_good() {
    at_every_isolation(|arena| {
        let account = arena.running.account("race-leaving");
        arena.database().time_travel().forget_used_steps(&account.username);
        let now = early_in_a_step(arena.database());
        // The deletion's code is good whether a login came before it or not.
        let [login, delete] = [now, now + STEP_SECONDS].map(|time| account.authenticator.code_at(time));
        let answers = together(arena.volley(|client, number| match half(number) {
            true => client.login_request(&account.username, &account.password, &login),
            false => client.delete_account_request(&account.session, &account.password, &delete),
        }));
        let allowed = [(200, ""), (204, ""), (401, "invalid_credentials"), (401, "session_invalid")];
        arena.assert_only(&answers, &allowed);
        let with = |status: u16| answers.iter().filter(move |answer| answer.status == status);
        let sessions: Vec<String> = with(200).map(Answer::session).collect();
        assert!(sessions.len() <= 1 && with(204).count() == 1, "{:?}", tally(&answers));
        assert_is_gone(arena, &account, &sessions);
    });
}

#[test]
fn guesses_at_once_are_judged_no_oftener_than_guesses_in_a_row() {
    let seed = seed();
    let _said = SeedOnFailure(seed);
    let seeded = std::cell::RefCell::new(Seeded::new(seed));
    let (hits, rounds) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    at_every_isolation(|arena| {
        let account = arena.running.account("race-guesses");
        let right = arena.running.fresh_code(&account);
        let now = arena.database().now();
        let mut codes: Vec<String> = account.authenticator.wrong_codes_at(now).take(AT_ONCE - 1).collect();
        codes.push(right);
        seeded.borrow_mut().shuffle(&mut codes);
        let since = arena.database().time_travel().events(&account.username).len();
        let answers = together(arena.volley(|client, number| {
            client.login_request(&account.username, &account.password, &codes[number])
        }));
        arena.assert_only(&answers, &[(200, ""), (401, "invalid_credentials"), (429, "too_many_attempts")]);
        let after = Guessing::default().through(&history(arena, &account, since, AT_ONCE));
        let hit = winners(&answers).len();
        // Five wrong ones, or up to four, the right one, and five more.
        assert!(hit <= 1 && after.judged <= 5 + 5 * hit, "{hit} hits, {after:?}");
        let standing = arena.database().standing(&account.username);
        assert_eq!((standing.wrong_codes, standing.is_waiting), (after.wrong_codes, after.is_waiting));
        hits.set(hits.get() + hit);
        rounds.set(rounds.get() + 1);
    });
    let (hits, rounds) = (hits.get(), rounds.get());
    figure(&format!("the right code among {AT_ONCE} was hit {hits} times in {rounds} rounds"));
    // Five of fifty are judged: one round in ten. Three rounds of three happen by chance once in a thousand runs.
    if rounds >= 60 {
        assert!(hits <= 18, "{hits} hits in {rounds} rounds: chance alone exceeds 18 once in 100,000 runs");
    }
}

#[test]
fn right_and_wrong_codes_at_once_count_as_some_order_of_them_would() {
    at_every_isolation(|arena| {
        let account = arena.running.account("race-mixed");
        let right = arena.running.fresh_code(&account);
        let wrong: Vec<String> =
            account.authenticator.wrong_codes_at(arena.database().now()).take(AT_ONCE).collect();
        let since = arena.database().time_travel().events(&account.username).len();
        let answers = together(arena.volley(|client, number| {
            let code = if half(number) { &right } else { &wrong[number] };
            client.login_request(&account.username, &account.password, code)
        }));
        arena.assert_only(&answers, &[(200, ""), (401, "invalid_credentials"), (429, "too_many_attempts")]);
        let events = history(arena, &account, since, AT_ONCE);
        let after = Guessing::default().through(&events);
        assert!(winners(&answers).len() <= 1, "{:?}", tally(&answers));
        let successes = events.iter().filter(|event| *event == "login/ok").count();
        assert_eq!(successes, winners(&answers).len());
        let standing = arena.database().standing(&account.username);
        assert_eq!((standing.wrong_codes, standing.is_waiting), (after.wrong_codes, after.is_waiting));
    });
}

#[test]
fn wrong_passwords_at_once_disturb_no_right_login() {
    at_every_isolation(|arena| {
        let account = arena.running.account("race-beside");
        let code = arena.running.fresh_code(&account);
        let wrong = another_password(&account.password);
        let answers = together(arena.volley(|client, number| {
            let password = if number == AT_ONCE / 2 { &account.password } else { &wrong };
            client.login_request(&account.username, password, &code)
        }));
        arena.assert_answers(&answers, [(200, "", 1), (401, "invalid_credentials", AT_ONCE - 1)]);
        assert_eq!(answers[AT_ONCE / 2].status, 200, "the right one waits for nobody");
    });
}

#[test]
fn after_a_logout_was_answered_the_session_is_refused_by_the_other_process() {
    at_every_isolation(|arena| {
        let account = arena.running.account("race-logout");
        let answers = together(arena.volley(|client, number| match half(number) {
            true => client.logout_request(&account.session),
            false => client.session_request(&account.session),
        }));
        arena.assert_only(&answers, &[(204, ""), (200, ""), (401, "session_invalid")]);
        let ended = answers.iter().filter(|answer| answer.status == 204).count();
        assert_eq!(ended, 1, "{:?}", tally(&answers));
        assert_eq!(arena.database().standing(&account.username).sessions, 0);

        let session = arena.running.login(&account).session();
        assert_eq!(arena.client(1).session(&session).status, 200);
        assert_eq!(arena.client(0).logout(&session).status, 204);
        let uses: Vec<_> = (0..AT_ONCE).map(|_| arena.client(1).session_request(&session)).collect();
        arena.assert_answers(&together(uses), [(401, "session_invalid", AT_ONCE)]);
    });
}
