//! Every token is good for its own purpose and for nothing else, wherever it is sent.

use harness::quiet;
use harness::shared::Running;
use harness::situations::{Credential, Operation, Person, Situation, operations};

/// What a token is for, the name of its account, and the token.
type Token = (&'static str, String, String);

/// One live token of each purpose, each of another account.
fn tokens(running: &Running) -> [Token; 4] {
    let [started, enrolled, active] =
        [Situation::Started, Situation::Enrolled, Situation::Active].map(|at| running.person(at));
    let expired = running.account("cross-renewal");
    let renewal = running.renewal_token(&expired);
    [
        ("reveal", started.username, started.reveal),
        ("enrollment", enrolled.username, enrolled.bearer),
        ("renewal", expired.username, renewal),
        ("session", active.username, active.session),
    ]
}

#[test]
fn a_token_of_another_purpose_is_refused_everywhere_and_nothing_is_used_up() {
    let running = quiet();
    let tokens = tokens(&running);
    let id = running.database.time_travel().session_id(&tokens[3].1);
    let before = running.database.fingerprint().without_events();

    for (purpose, username, token) in &tokens {
        let (good, other): (Vec<&Operation>, Vec<&Operation>) =
            taking_a_token().partition(|operation| operation.tokens.contains(*purpose));
        assert!(!good.is_empty(), "no operation takes the token: {purpose}");
        let (username, id) = (username.clone(), id.clone());
        let person = Person { username, id, ..Person::stranger() }.with_every_token(token);
        for operation in other {
            refuses_the_token(&running, operation, &person);
        }
    }
    assert_eq!(running.database.fingerprint().without_events(), before);

    let [(_, _, reveal), (_, _, enrollment), (_, username, renewal), (_, _, session)] = &tokens;
    assert_eq!(running.client.reveal(reveal).status, 200);
    assert_eq!(running.client.poll(enrollment).status, 200);
    assert_eq!(running.client.start_with(username, renewal).username, *username);
    assert_eq!(running.client.session(session).status, 200);
}

#[test]
fn the_tokens_of_a_finished_start_are_dead_everywhere() {
    let running = quiet();
    let account = running.account("finished");
    let before = running.database.fingerprint().without_events();
    let person = Person { code: running.code(&account), ..Person::from(&account) };
    for operation in taking_a_token().filter(|operation| operation.tokens.contains("enrollment")) {
        refuses_the_token(&running, operation, &person);
    }
    assert_eq!(running.database.fingerprint().without_events(), before);
    assert_eq!(running.login(&account).status, 200);
}

#[test]
fn a_token_in_the_address_is_no_token() {
    let running = quiet();
    let start = running.client.start(&running.username("query"));
    for query in ["token", "access_token", "enrollment_token"] {
        let path = format!("/api/password?{query}={}", start.enrollment);
        running.client.get(&path).send().refused(401, "token_invalid");
    }
}

fn taking_a_token() -> impl Iterator<Item = &'static Operation> {
    operations().iter().filter(|operation| !operation.tokens.is_empty())
}

fn refuses_the_token(running: &Running, operation: &Operation, person: &Person) {
    let (status, code) = match operation.most() {
        Credential::Bearer => (401, "token_invalid"),
        Credential::Session => (401, "session_invalid"),
        Credential::Nothing => (404, "token_unknown"),
    };
    operation.request(&running.client, person).send().refused(status, code);
}
