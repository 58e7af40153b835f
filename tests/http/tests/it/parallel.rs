//! The same request many times in one moment, where what follows matters more than the counts: `tests/attack` holds
//! those, for every race of the journey.

use harness::barrier::at_once;
use harness::time_travel::Belongings;
use harness::{Answer, shared};
use serde_json::json;

/// How many requests are let go together.
const AT_ONCE: usize = 16;

/// Lets `AT_ONCE` requests go together; `request` is told which one it is.
fn together(request: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let request = &request;
    at_once((0..AT_ONCE).map(|number| move || request(number)).collect())
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

const NOTHING: Belongings = Belongings { accounts: 0, live: 0, unconfirmed: 0, sessions: 0 };

#[test]
fn one_of_fifty_deletions_with_one_code_deletes() {
    let running = shared();
    let account = running.account("deletions");
    let code = running.fresh_code(&account);
    let delete = || running.client.delete_account(&account.session, &account.password, &code);
    let answers = at_once((0..50).map(|_| delete).collect());
    assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.code() == "session_invalid").count(), 49);
    assert_eq!(running.database.time_travel().belongings(&account.username), NOTHING);
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
        assert_eq!(deleted + opened, 1, "the code is good for one of both: {answers:?}");
        assert!(of(0).chain(of(1)).all(|answer| [200, 204, 401].contains(&answer.status)), "{answers:?}");
        assert!(of(2).all(|answer| answer.code() == "username_taken"), "{answers:?}");
        assert!(of(3).all(|answer| [200, 401].contains(&answer.status)), "{answers:?}");
        let all = Belongings { accounts: 1, live: 1, unconfirmed: 0, sessions: 3 };
        let belongings = running.database.time_travel().belongings(&account.username);
        assert_eq!(belongings, if deleted == 1 { NOTHING } else { all });
    }
}
