//! Each operation of the journey that changes something: what comes before it, the request itself, and the way on for a
//! person who was interrupted. Each way ends at a login, or, of an account that was deleted, at its name.

use harness::journey::{Enrolled, Start, started, text};
use harness::rows::Standing;
use harness::{Account, Authenticator};
use serde_json::json;

use crate::interrupted::{Bench, Done};

/// An operation, with a name of its own for each account that it is tried on.
pub struct Operation {
    /// What the tests call it; also the beginning of the accounts' names.
    pub name: &'static str,
    /// The exchange that does it.
    pub commit: usize,
    /// Runs it with an interruption, takes the way on, and says whether it was done by the interrupted request.
    pub run: fn(&mut Bench, &str) -> bool,
}

/// The connection is cleaned, the statement prepared, the statement run.
pub const EXCHANGES: usize = 3;
const ALONE: usize = EXCHANGES;
/// The same with another statement before it.
const AFTER_A_LOAD: usize = 2 * EXCHANGES;

/// All of them.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "start", commit: ALONE, run: start },
    Operation { name: "new-code", commit: AFTER_A_LOAD, run: new_code },
    Operation { name: "reveal", commit: AFTER_A_LOAD, run: reveal },
    Operation { name: "second-factor", commit: AFTER_A_LOAD, run: second_factor },
    Operation { name: "activation", commit: AFTER_A_LOAD, run: activation },
    Operation { name: "login", commit: AFTER_A_LOAD, run: login },
    Operation { name: "wrong-code", commit: AFTER_A_LOAD, run: wrong_code },
    Operation { name: "expired-login", commit: AFTER_A_LOAD, run: expired_login },
    Operation { name: "renewal", commit: AFTER_A_LOAD, run: renewal },
    Operation { name: "logout", commit: ALONE, run: logout },
    Operation { name: "end-session", commit: ALONE, run: end_session },
    Operation { name: "deletion", commit: AFTER_A_LOAD, run: deletion },
];

/// A name that was taken without anybody's knowing is free again when its start is over.
fn start(bench: &mut Bench, username: &str) -> bool {
    let body = json!({ "username": username });
    let done = bench.interrupted("start/ok", 201, |client| client.post_json("/api/password", &body));
    let client = &bench.running.client;
    let (start, was_done) = match done {
        Done::Answered(answer) => (started(&answer), true),
        Done::Nothing => (client.start(username), false),
        Done::Unheard => {
            client.post_json("/api/password", &body).send().refused(409, "username_taken");
            bench.running.database.time_travel().expire_start(username);
            (client.start(username), true)
        }
    };
    go_on(bench, start);
    was_done
}

/// Either the old code and its password are good, or they are dead and the next new code is.
fn new_code(bench: &mut Bench, username: &str) -> bool {
    let start = bench.running.client.start(username);
    let password = bench.running.client.password(&start.reveal);
    let body = json!({ "username": username });
    let done = bench.interrupted("new_code/ok", 201, |client| {
        client.post_json("/api/password", &body).bearer(&start.enrollment)
    });
    let client = &bench.running.client;
    let start = match done {
        Done::Nothing => {
            activate_with(bench, &start, &password);
            return false;
        }
        Done::Answered(answer) => started(&answer),
        Done::Unheard => {
            client.reveal(&start.reveal).refused(404, "token_unknown");
            client.start_with(username, &start.enrollment)
        }
    };
    go_on(bench, start);
    true
}

/// A password that was made and not delivered is never delivered: a new code makes another.
fn reveal(bench: &mut Bench, username: &str) -> bool {
    let start = bench.running.client.start(username);
    let body = json!({ "token": start.reveal });
    let done = bench.interrupted("reveal/ok", 200, |client| client.post_json("/api/password/reveal", &body));
    let client = &bench.running.client;
    let (password, was_done) = match done {
        Done::Answered(answer) => (text(&answer.json(), "password"), true),
        Done::Nothing => (client.password(&start.reveal), false),
        Done::Unheard => {
            client.reveal(&start.reveal).refused(410, "token_used");
            assert_eq!(client.poll(&start.enrollment).ok(200)["revealed"], json!(true));
            let again = client.start_with(username, &start.enrollment);
            (client.password(&again.reveal), true)
        }
    };
    // Used, or replaced by the new code.
    assert!([404, 410].contains(&client.reveal(&start.reveal).status));
    activate_with(bench, &start, &password);
    was_done
}

/// A secret that was not delivered is replaced by asking again.
fn second_factor(bench: &mut Bench, username: &str) -> bool {
    let start = bench.running.client.start(username);
    let password = bench.running.client.password(&start.reveal);
    let done =
        bench.interrupted("enroll/ok", 201, |client| client.post("/api/totp").bearer(&start.enrollment));
    let (phone, was_done) = match done {
        Done::Answered(answer) => (Authenticator::scan(&text(&answer.json(), "otpauth_uri")), true),
        Done::Nothing => (bench.running.client.enrolled(&start.enrollment).authenticator, false),
        Done::Unheard => (bench.running.client.enrolled(&start.enrollment).authenticator, true),
    };
    confirm(bench, &start, &password, &phone);
    was_done
}

/// An activation that nobody heard of is one all the same: its owner logs in.
fn activation(bench: &mut Bench, username: &str) -> bool {
    let start = bench.running.client.start(username);
    let password = bench.running.client.password(&start.reveal);
    let phone = bench.running.client.enrolled(&start.enrollment).authenticator;
    let body = json!({ "password": password, "code": phone.code_at(bench.running.database.now()) });
    let done = bench.interrupted("activate/ok", 200, |client| {
        client.post_json("/api/totp/confirm", &body).bearer(&start.enrollment)
    });
    let client = &bench.running.client;
    let was_done = match done {
        Done::Nothing => {
            assert_eq!(bench.running.database.time_travel().state(username).as_deref(), Some("pending"));
            confirm(bench, &start, &password, &phone);
            return false;
        }
        Done::Answered(_) => true,
        Done::Unheard => {
            let again = client.post_json("/api/totp/confirm", &body).bearer(&start.enrollment).send();
            again.refused(401, "token_invalid");
            true
        }
    };
    assert_eq!(bench.running.database.time_travel().state(username).as_deref(), Some("active"));
    log_in(bench, username, &password, &phone);
    was_done
}

/// The code of a login that nobody heard of is used: the refusal says so like any other, counts nothing, and the next
/// code is good.
fn login(bench: &mut Bench, username: &str) -> bool {
    let account = account(bench, username);
    let code = bench.running.fresh_code(&account);
    let body = json!({ "username": username, "password": account.password, "code": code });
    let done = bench.interrupted("login/ok", 200, |client| client.post_json("/api/login", &body));
    let client = &bench.running.client;
    let sessions = bench.running.database.time_travel().belongings(username).sessions;
    let was_done = match done {
        Done::Answered(answer) => {
            assert_eq!(client.session(&answer.session()).status, 200);
            true
        }
        Done::Nothing => {
            assert_eq!(client.login(username, &account.password, &code).status, 200);
            false
        }
        Done::Unheard => {
            client.login(username, &account.password, &code).refused(401, "invalid_credentials");
            true
        }
    };
    assert_eq!(sessions, 1 + i64::from(was_done));
    assert_eq!(bench.running.database.time_travel().wrong_codes(username), 0);
    log_in(bench, username, &account.password, &account.authenticator);
    was_done
}

/// A guess is counted once or not at all.
fn wrong_code(bench: &mut Bench, username: &str) -> bool {
    let account = account(bench, username);
    let code = bench.running.wrong_code(&account);
    let body = json!({ "username": username, "password": account.password, "code": code });
    let done = bench.interrupted("login/wrong_code", 401, |client| client.post_json("/api/login", &body));
    let was_done = !matches!(done, Done::Nothing);
    assert_eq!(bench.running.database.time_travel().wrong_codes(username), i32::from(was_done));
    log_in(bench, username, &account.password, &account.authenticator);
    was_done
}

/// The renewal token of a login that nobody heard of is lost; the next code earns another.
fn expired_login(bench: &mut Bench, username: &str) -> bool {
    let account = account(bench, username);
    bench.running.database.time_travel().expire_credentials(username);
    let code = bench.running.fresh_code(&account);
    let body = json!({ "username": username, "password": account.password, "code": code });
    let done = bench.interrupted("login/expired", 403, |client| client.post_json("/api/login", &body));
    let client = &bench.running.client;
    let (token, was_done) = match done {
        Done::Answered(answer) => (text(&answer.json(), "renewal_token"), true),
        Done::Nothing => {
            let answer = client.login(username, &account.password, &code);
            (text(&answer.refused(403, "credentials_expired"), "renewal_token"), false)
        }
        Done::Unheard => {
            client.login(username, &account.password, &code).refused(401, "invalid_credentials");
            (another_renewal_token(bench, &account), true)
        }
    };
    go_on(bench, bench.running.client.start_with(username, &token));
    was_done
}

/// The token of a renewal that nobody heard of is used up; the old credentials still earn another.
fn renewal(bench: &mut Bench, username: &str) -> bool {
    let account = account(bench, username);
    let token = bench.running.renewal_token(&account);
    let body = json!({ "username": username });
    let done =
        bench.interrupted("renew/ok", 201, |client| client.post_json("/api/password", &body).bearer(&token));
    let client = &bench.running.client;
    let (start, was_done) = match done {
        Done::Answered(answer) => (started(&answer), true),
        Done::Nothing => (client.start_with(username, &token), false),
        Done::Unheard => {
            let again = client.post_json("/api/password", &body).bearer(&token).send();
            again.refused(401, "token_invalid");
            (client.start_with(username, &another_renewal_token(bench, &account)), true)
        }
    };
    go_on(bench, start);
    was_done
}

/// A session is open or it is not; asking again ends it.
fn logout(bench: &mut Bench, username: &str) -> bool {
    let account = account(bench, username);
    let done =
        bench.interrupted("logout/ok", 204, |client| client.delete("/api/session").session(&account.session));
    let client = &bench.running.client;
    let was_done = !matches!(done, Done::Nothing);
    let again = client.logout(&account.session);
    assert_eq!(again.status, if was_done { 401 } else { 204 }, "{again:?}");
    client.session(&account.session).refused(401, "session_invalid");
    log_in(bench, username, &account.password, &account.authenticator);
    was_done
}

/// A session of one's own is open or it is not; asking again ends it, or does not find it any more.
fn end_session(bench: &mut Bench, username: &str) -> bool {
    let account = account(bench, username);
    let id = bench.running.database.time_travel().session_id(username);
    let asking = bench.running.login(&account).session();
    let path = format!("/api/sessions/{id}");
    let done = bench.interrupted("end_session/ok", 204, |client| client.delete(&path).session(&asking));
    let client = &bench.running.client;
    let was_done = !matches!(done, Done::Nothing);
    let again = client.end_session(&asking, &id);
    assert_eq!(again.status, if was_done { 404 } else { 204 }, "{again:?}");
    client.session(&account.session).refused(401, "session_invalid");
    assert_eq!(client.session(&asking).status, 200);
    log_in(bench, username, &account.password, &account.authenticator);
    was_done
}

/// An account is there with all that is its own, and the same code deletes it; or nothing of it is there.
fn deletion(bench: &mut Bench, username: &str) -> bool {
    let account = account(bench, username);
    let code = bench.running.fresh_code(&account);
    let done = bench.interrupted("delete/ok", 204, |client| {
        client.delete_account_request(&account.session, &account.password, &code)
    });
    let client = &bench.running.client;
    let was_done = !matches!(done, Done::Nothing);
    if !was_done {
        assert_eq!(client.session(&account.session).status, 200);
    }
    let again = client.delete_account(&account.session, &account.password, &code);
    assert_eq!(again.status, if was_done { 401 } else { 204 }, "{again:?}");
    client.session(&account.session).refused(401, "session_invalid");
    client.login(username, &account.password, &code).refused(401, "invalid_credentials");
    client.start_request(username).send().refused(409, "username_taken");
    assert_eq!(bench.running.database.standing(username), Standing::default());
    was_done
}

fn account(bench: &Bench, username: &str) -> Account {
    bench.running.activate(bench.running.client.start(username))
}

/// With the code after the one that was used.
fn another_renewal_token(bench: &Bench, account: &Account) -> String {
    text(&bench.running.login(account).refused(403, "credentials_expired"), "renewal_token")
}

fn go_on(bench: &Bench, start: Start) {
    let account = bench.running.activate(start);
    assert_eq!(bench.running.login(&account).status, 200);
}

fn activate_with(bench: &Bench, start: &Start, password: &str) {
    let Enrolled { authenticator, .. } = bench.running.client.enrolled(&start.enrollment);
    confirm(bench, start, password, &authenticator);
}

fn confirm(bench: &Bench, start: &Start, password: &str, phone: &Authenticator) {
    let code = phone.code_at(bench.running.database.now());
    assert_eq!(bench.running.client.confirm(&start.enrollment, password, &code).status, 200);
    log_in(bench, &start.username, password, phone);
}

fn log_in(bench: &Bench, username: &str, password: &str, phone: &Authenticator) {
    bench.running.database.time_travel().forget_used_steps(username);
    let code = phone.code_at(bench.running.database.now());
    assert_eq!(bench.running.client.login(username, password, &code).status, 200);
}
