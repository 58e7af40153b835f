//! `GET` and `DELETE /api/session`.

use harness::journey::{another_token, text};
use harness::{App, shared};
use serde_json::json;

#[test]
fn a_session_says_whose_it_is_and_when_it_ends() {
    let running = shared();
    let account = running.account("whose");
    let login = running.login(&account);
    let session = running.client.session(&login.session()).ok(200);
    assert_eq!(session["username"], json!(account.username));
    assert_eq!(session["expires_at"], login.json()["expires_at"]);
    let ends = running.database.seconds(&text(&session, "session_expires_at"));
    assert!(ends.abs_diff(running.database.now() + 3600) <= 5, "{session}");
}

#[test]
fn a_session_ends_after_an_hour_without_a_request() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("idle");
    travel.sessions_idle_for_minutes(&account.username, 59);
    assert_eq!(running.client.session(&account.session).status, 200);
    travel.sessions_idle_for_minutes(&account.username, 61);
    running.client.session(&account.session).refused(401, "session_invalid");
    running.client.logout(&account.session).refused(401, "session_invalid");
}

#[test]
fn a_request_keeps_a_session_from_ending_by_idleness() {
    let running = shared();
    let account = running.account("busy");
    running.database.time_travel().sessions_idle_for_minutes(&account.username, 50);
    assert_eq!(running.client.session(&account.session).status, 200);
    let session = running.client.session(&account.session).ok(200);
    let ends = running.database.seconds(&text(&session, "session_expires_at"));
    assert!(ends > running.database.now() + 3500, "{session}");
}

#[test]
fn a_session_ends_after_twelve_hours_however_busy() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("long");
    travel.sessions_opened_minutes_ago(&account.username, 12 * 60 - 10);
    let session = running.client.session(&account.session).ok(200);
    let ends = running.database.seconds(&text(&session, "session_expires_at"));
    assert!(ends.abs_diff(running.database.now() + 600) <= 5, "{session}");
    travel.sessions_opened_minutes_ago(&account.username, 12 * 60 + 1);
    running.client.session(&account.session).refused(401, "session_invalid");
}

#[test]
fn a_session_ends_with_its_credential() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("ends");
    travel.credentials_end_in(&account.username, 600);
    let session = running.client.session(&account.session).ok(200);
    assert_eq!(session["session_expires_at"], session["expires_at"]);
    travel.expire_credentials(&account.username);
    running.client.session(&account.session).refused(401, "session_invalid");
}

#[test]
fn a_session_is_over_while_its_account_is_suspended() {
    let running = shared();
    let account = running.account("barred");
    running.database.time_travel().suspend(&account.username);
    running.client.session(&account.session).refused(401, "session_invalid");
}

#[test]
fn a_logout_is_final_on_every_replica() {
    let running = shared();
    let replica = App::start(&running.database);
    let account = running.account("replica");
    assert_eq!(replica.client().session(&account.session).status, 200);
    assert_eq!(running.client.logout(&account.session).status, 204);
    replica.client().session(&account.session).refused(401, "session_invalid");
    replica.client().logout(&account.session).refused(401, "session_invalid");
    running.client.session(&account.session).refused(401, "session_invalid");
}

#[test]
fn a_logout_takes_the_cookie_back() {
    let running = shared();
    let account = running.account("back");
    let logout = running.client.logout(&account.session);
    let cookie = logout.header("set-cookie").unwrap().to_ascii_lowercase();
    for needed in ["; path=/", "; secure", "; httponly", "; samesite=strict", "; max-age=0"] {
        assert!(cookie.contains(needed), "{cookie}");
    }
}

#[test]
fn what_is_no_session_is_refused() {
    let running = shared();
    let client = &running.client;
    let account = running.account("forged");
    client.get("/api/session").send().refused(401, "session_invalid");
    client.delete("/api/session").send().refused(401, "session_invalid");
    for cookie in ["", "x", &another_token(&account.session), &format!("{}x", account.session), "a=b; c"] {
        client.session(cookie).refused(401, "session_invalid");
        client.logout(cookie).refused(401, "session_invalid");
    }
    for name in ["session", "__Host-Session", "x__Host-session", "__Secure-session"] {
        let answer =
            client.get("/api/session").header("cookie", &format!("{name}={}", account.session)).send();
        answer.refused(401, "session_invalid");
    }
    client.get("/api/session").bearer(&account.session).send().refused(401, "session_invalid");
    assert_eq!(client.session(&account.session).status, 200);
}

#[test]
fn other_cookies_beside_the_session_do_no_harm() {
    let running = shared();
    let account = running.account("beside");
    let cookies = format!("theme=dark; __Host-session={}; __Host-sessions=x", account.session);
    assert_eq!(running.client.get("/api/session").header("cookie", &cookies).send().status, 200);
}
