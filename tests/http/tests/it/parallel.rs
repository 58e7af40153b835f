//! The same request many times in one moment: a slice of what the load tests do at length.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use harness::journey::another_password;
use harness::shared::Running;
use harness::time_travel::Belongings;
use harness::{Answer, Config, TestDatabase, shared};
use serde_json::json;

/// How many requests are let go together.
const AT_ONCE: usize = 16;

/// Lets `AT_ONCE` requests go together; `request` is told which one it is.
fn together(request: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    so_many_together(AT_ONCE, request)
}

fn so_many_together(count: usize, request: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let barrier = Barrier::new(count);
    thread::scope(|scope| {
        let run = |number| {
            let (barrier, request) = (&barrier, &request);
            scope.spawn(move || {
                barrier.wait();
                request(number)
            })
        };
        let threads: Vec<_> = (0..count).map(run).collect();
        threads.into_iter().map(|thread| thread.join().expect("the request is answered")).collect()
    })
}

/// How often each status and code came.
fn tally(answers: &[Answer]) -> BTreeMap<(u16, String), usize> {
    let mut tally = BTreeMap::new();
    for answer in answers {
        *tally.entry((answer.status, answer.code())).or_default() += 1;
    }
    tally
}

fn expected<const N: usize>(parts: [(u16, &str, usize); N]) -> BTreeMap<(u16, String), usize> {
    parts.map(|(status, code, count)| ((status, code.to_owned()), count)).into()
}

#[test]
fn one_of_many_starts_of_a_name_wins() {
    let running = shared();
    let name = running.username("race");
    let spellings = [name.clone(), name.to_uppercase(), format!(" {name} ")];
    let start = |number: usize| {
        let typed = &spellings[number % spellings.len()];
        running.client.post_json("/api/password", &json!({ "username": typed })).send()
    };
    assert_eq!(tally(&together(start)), expected([(201, "", 1), (409, "username_taken", AT_ONCE - 1)]));

    running.database.time_travel().expire_start(&name);
    assert_eq!(tally(&together(start)), expected([(201, "", 1), (409, "username_taken", AT_ONCE - 1)]));
    let only = Belongings { accounts: 1, live: 0, unconfirmed: 1, sessions: 0 };
    assert_eq!(running.database.time_travel().belongings(&name), only);
}

#[test]
fn one_of_many_reveals_shows_the_password_that_is_good() {
    let running = shared();
    let start = running.client.start(&running.username("reveals"));
    let answers = together(|_| running.client.reveal(&start.reveal));
    assert_eq!(tally(&answers), expected([(200, "", 1), (410, "token_used", AT_ONCE - 1)]));
    let shown = answers.iter().find(|answer| answer.status == 200).unwrap().json();
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let code = phone.code_at(running.database.now());
    assert_eq!(
        running.client.confirm(&start.enrollment, shown["password"].as_str().unwrap(), &code).status,
        200
    );
}

#[test]
fn one_of_many_logins_with_one_code_succeeds() {
    let running = shared();
    let account = running.account("logins");
    let code = running.fresh_code(&account);
    let answers = together(|_| running.client.login(&account.username, &account.password, &code));
    assert_eq!(tally(&answers), expected([(200, "", 1), (401, "invalid_credentials", AT_ONCE - 1)]));
    let travel = running.database.time_travel();
    assert_eq!(travel.belongings(&account.username).sessions, 2, "the activation's and the login's");
    assert_eq!(travel.wrong_codes(&account.username), 0);
}

/// PostgreSQL then asks for a statement to be repeated where it would otherwise wait; Spin passes that on as a text.
#[test]
fn without_its_pin_a_stricter_isolation_repeats_statements_and_lets_nobody_win_twice() {
    let database = TestDatabase::fresh();
    let name = database.name();
    let stricter = "SET default_transaction_isolation = 'repeatable read'";
    database.owner().batch_execute(&format!("ALTER ROLE cofrap_app IN DATABASE {name} {stricter}")).unwrap();
    let dsn = database.application_dsn();
    let (unpinned, pin) = dsn.split_once("&options=").unwrap();
    assert!(pin.contains("read"), "the pin is the last of the parameters: {pin}");
    let config = Config::over(&database).variable("pg_dsn", unpinned);
    let running = Running::with(database, &config);
    let account = running.account("stricter");
    let code = running.fresh_code(&account);
    let answers = together(|_| running.client.login(&account.username, &account.password, &code));
    assert_eq!(tally(&answers), expected([(200, "", 1), (401, "invalid_credentials", AT_ONCE - 1)]));
}

#[test]
fn guesses_at_once_are_no_more_than_guesses_in_a_row() {
    let running = shared();
    let account = running.account("guesses");
    let codes: Vec<String> =
        account.authenticator.wrong_codes_at(running.database.now()).take(AT_ONCE).collect();
    let answers =
        together(|number| running.client.login(&account.username, &account.password, &codes[number]));
    let five = expected([(401, "invalid_credentials", 5), (429, "too_many_attempts", AT_ONCE - 5)]);
    assert_eq!(tally(&answers), five);
    assert_eq!(running.database.time_travel().wrong_codes(&account.username), 5);
}

#[test]
fn wrong_passwords_beside_a_right_login_do_not_disturb_it() {
    let running = shared();
    let account = running.account("beside");
    let code = running.fresh_code(&account);
    let wrong = another_password(&account.password);
    let answers = together(|number| {
        let password = if number == 0 { &account.password } else { &wrong };
        running.client.login(&account.username, password, &code)
    });
    assert_eq!(answers[0].status, 200);
    assert_eq!(tally(&answers), expected([(200, "", 1), (401, "invalid_credentials", AT_ONCE - 1)]));
}

#[test]
fn one_of_many_activations_activates() {
    let running = shared();
    let start = running.client.start(&running.username("clicks"));
    let password = running.client.password(&start.reveal);
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let code = phone.code_at(running.database.now());
    let answers = together(|_| running.client.confirm(&start.enrollment, &password, &code));
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{:?}", tally(&answers));
    assert!(answers.iter().all(|answer| [200, 401, 409].contains(&answer.status)), "{:?}", tally(&answers));
    let expected = Belongings { accounts: 1, live: 1, unconfirmed: 0, sessions: 1 };
    assert_eq!(running.database.time_travel().belongings(&start.username), expected);
}

#[test]
fn what_was_checked_is_what_is_activated() {
    let running = shared();
    for _ in 0..4 {
        let start = running.client.start(&running.username("checked"));
        let password = running.client.password(&start.reveal);
        let phone = running.client.enrolled(&start.enrollment).authenticator;
        let code = phone.code_at(running.database.now());
        // One tab asks for a new secret in the moment in which the other confirms the one that it shows.
        let answers = together(|number| match number {
            0 => running.client.confirm(&start.enrollment, &password, &code),
            _ => running.client.enroll(&start.enrollment),
        });
        let activated = answers[0].status == 200;
        if !activated {
            let code = answers[0].code();
            assert!(["superseded", "invalid_credentials"].contains(&code.as_str()), "{:?}", answers[0]);
        }
        let travel = running.database.time_travel();
        assert_eq!(
            travel.state(&start.username).as_deref(),
            Some(if activated { "active" } else { "pending" })
        );
        if activated {
            travel.forget_used_steps(&start.username);
            let code = phone.code_at(running.database.now());
            assert_eq!(running.client.login(&start.username, &password, &code).status, 200);
        } else {
            let phone = running.client.enrolled(&start.enrollment).authenticator;
            let code = phone.code_at(running.database.now());
            assert_eq!(
                running.client.confirm(&start.enrollment, &password, &code).status,
                200,
                "nobody is shut out"
            );
        }
    }
}

#[test]
fn one_of_many_renewals_with_one_token_starts() {
    let running = shared();
    let account = running.account("renewals");
    let token = running.renewal_token(&account);
    let body = json!({ "username": account.username });
    let answers = together(|_| running.client.post_json("/api/password", &body).bearer(&token).send());
    assert_eq!(tally(&answers), expected([(201, "", 1), (401, "token_invalid", AT_ONCE - 1)]));
}

#[test]
fn new_codes_at_once_leave_one_code_that_is_good() {
    let running = shared();
    let start = running.client.start(&running.username("codes"));
    let body = json!({ "username": start.username });
    let answers =
        together(|_| running.client.post_json("/api/password", &body).bearer(&start.enrollment).send());
    assert!(answers.iter().any(|answer| answer.status == 201));
    let links = answers.iter().filter(|answer| answer.status == 201).map(Answer::json);
    let tokens: Vec<String> = links
        .map(|body| body["reveal_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned())
        .collect();
    let good = tokens.iter().filter(|token| running.client.reveal(token).status == 200).count();
    assert_eq!(good, 1);
    running.client.reveal(&start.reveal).refused(404, "token_unknown");
}

#[test]
fn one_of_fifty_deletions_with_one_code_deletes() {
    let running = shared();
    let account = running.account("deletions");
    let code = running.fresh_code(&account);
    let answers =
        so_many_together(50, |_| running.client.delete_account(&account.session, &account.password, &code));
    assert_eq!(tally(&answers), expected([(204, "", 1), (401, "session_invalid", 49)]));
    let nothing = Belongings { accounts: 0, live: 0, unconfirmed: 0, sessions: 0 };
    assert_eq!(running.database.time_travel().belongings(&account.username), nothing);
}

#[test]
fn a_deletion_beside_logins_starts_and_looks_leaves_nothing_behind() {
    let running = shared();
    for _ in 0..4 {
        let account = running.account("leaves");
        let session = running.login(&account).session();
        let code = running.fresh_code(&account);
        let start = json!({ "username": account.username });
        let answers = together(|number| match number % 4 {
            0 => running.client.delete_account(&account.session, &account.password, &code),
            1 => running.client.login(&account.username, &account.password, &code),
            2 => running.client.post_json("/api/password", &start).send(),
            _ => running.client.sessions(&session),
        });
        let of = |kind: usize| answers.iter().skip(kind).step_by(4);
        let deleted = of(0).filter(|answer| answer.status == 204).count();
        let opened = of(1).filter(|answer| answer.status == 200).count();
        assert_eq!(deleted + opened, 1, "the code is good for one of both: {:?}", tally(&answers));
        assert!(
            of(0).chain(of(1)).all(|answer| [200, 204, 401].contains(&answer.status)),
            "{:?}",
            tally(&answers)
        );
        assert!(of(2).all(|answer| answer.code() == "username_taken"), "{:?}", tally(&answers));
        assert!(of(3).all(|answer| [200, 401].contains(&answer.status)), "{:?}", tally(&answers));
        let belongings = running.database.time_travel().belongings(&account.username);
        let nothing = Belongings { accounts: 0, live: 0, unconfirmed: 0, sessions: 0 };
        let all = Belongings { accounts: 1, live: 1, unconfirmed: 0, sessions: 3 };
        assert_eq!(belongings, if deleted == 1 { nothing } else { all });
    }
}
