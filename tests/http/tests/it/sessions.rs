//! `GET /api/sessions` and `DELETE /api/sessions/{id}`: what one has open, and the end of one of them.

use harness::journey::text;
use harness::shared::Running;
use harness::{App, quiet, shared};
use serde_json::{Value, json};

/// The sessions of whoever has this one.
fn list(running: &Running, session: &str) -> Vec<Value> {
    running.client.sessions(session).ok(200).as_array().unwrap().clone()
}

/// The public id of a session.
fn id_of(running: &Running, session: &str) -> String {
    let current = list(running, session).into_iter().find(|session| session["current"] == json!(true));
    text(&current.expect("the session that asks is among them"), "id")
}

#[test]
fn the_sessions_of_an_account_are_listed_newest_first_and_the_one_that_asks_is_marked() {
    let running = shared();
    let account = running.account("lists");
    let _stranger = running.account("lists-too");
    running.database.time_travel().sessions_opened_minutes_ago(&account.username, 20);
    let second = running.login(&account).session();
    running.database.time_travel().sessions_opened_minutes_ago(&account.username, 10);
    let third = running.login(&account).session();
    let ids = [&third, &second, &account.session].map(|session| id_of(running, session));
    for (position, session) in [&third, &second, &account.session].into_iter().enumerate() {
        let sessions = list(running, session);
        assert_eq!(sessions.len(), 3, "{sessions:?}");
        assert_eq!(sessions[0]["id"], json!(ids[0]));
        let current: Vec<bool> =
            sessions.iter().map(|session| session["current"].as_bool().unwrap()).collect();
        assert_eq!(current.iter().filter(|current| **current).count(), 1);
        assert_eq!(
            sessions.iter().position(|other| other["id"] == json!(ids[position])),
            current.iter().position(|current| *current)
        );
        let times: Vec<u64> =
            sessions.iter().map(|session| running.database.seconds(&text(session, "created_at"))).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "{sessions:?}");
        for session in &sessions {
            assert!(
                running.database.now().abs_diff(running.database.seconds(&text(session, "last_seen_at")))
                    <= 60
            );
        }
    }
}

#[test]
fn looking_is_a_use_of_the_session_that_asks_and_of_no_other() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("looks");
    let other = running.login(&account).session();
    travel.sessions_idle_for_minutes(&account.username, 40);
    assert_eq!(list(running, &account.session).len(), 2);
    assert_eq!(running.client.sessions(&account.session).status, 200);
    let idle: Vec<bool> = list(running, &account.session)
        .iter()
        .map(|session| running.database.now() - running.database.seconds(&text(session, "last_seen_at")) > 60)
        .collect();
    assert_eq!(idle.iter().filter(|idle| **idle).count(), 1, "the other one is as idle as it was");
    let ends = text(&running.client.session(&other).ok(200), "session_expires_at");
    assert!(running.database.seconds(&ends) > running.database.now(), "and was still good");
}

#[test]
fn a_session_that_is_over_is_neither_listed_nor_ended() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("dead");
    let dead = id_of(running, &account.session);
    travel.sessions_idle_for_minutes(&account.username, 61);
    let session = running.login(&account).session();
    let sessions = list(running, &session);
    assert_eq!((sessions.len(), &sessions[0]["current"]), (1, &json!(true)));
    running.client.end_session(&session, &dead).refused(404, "not_found");
    running.client.end_session(&account.session, &id_of(running, &session)).refused(401, "session_invalid");
    running.client.sessions(&account.session).refused(401, "session_invalid");
    travel.expire_credentials(&account.username);
    running.client.sessions(&session).refused(401, "session_invalid");
    running.client.end_session(&session, &dead).refused(401, "session_invalid");
}

#[test]
fn another_session_of_ones_own_can_be_ended_on_every_replica() {
    let running = shared();
    let replica = App::start(&running.database);
    let account = running.account("ends-other");
    let lost = running.login(&account).session();
    let id = id_of(running, &lost);
    assert_eq!(replica.client().session(&lost).status, 200);
    let ended = running.client.end_session(&account.session, &id);
    assert_eq!(ended.status, 204, "{ended:?}");
    assert!(ended.header("set-cookie").is_none(), "one's own cookie stays");
    replica.client().session(&lost).refused(401, "session_invalid");
    running.client.session(&lost).refused(401, "session_invalid");
    assert_eq!(running.client.session(&account.session).status, 200);
    running.client.end_session(&account.session, &id).refused(404, "not_found");
    assert_eq!(list(running, &account.session).len(), 1);
    let events = running.database.time_travel().events(&account.username);
    assert_eq!(events[5..], ["end_session/ok", "end_session/session_unknown"]);
}

#[test]
fn ending_the_session_that_asks_is_a_logout() {
    let running = shared();
    let account = running.account("ends-own");
    let other = running.login(&account).session();
    let id = id_of(running, &account.session).to_uppercase();
    let ended = running.client.end_session(&account.session, &id);
    assert_eq!(ended.status, 204, "{ended:?}");
    let cookie = ended.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-session=; ") && cookie.contains("Max-Age=0"), "{cookie}");
    running.client.session(&account.session).refused(401, "session_invalid");
    assert_eq!(running.client.session(&other).status, 200);
}

#[test]
fn ending_is_a_use_of_the_session_that_asks() {
    let running = shared();
    let account = running.account("ends-uses");
    let lost = id_of(running, &running.login(&account).session());
    running.database.time_travel().sessions_idle_for_minutes(&account.username, 50);
    assert_eq!(running.client.end_session(&account.session, &lost).status, 204);
    let ends = text(&running.client.session(&account.session).ok(200), "session_expires_at");
    assert!(running.database.seconds(&ends) > running.database.now() + 3_500, "{ends}");
}

#[test]
fn what_is_not_ones_own_open_session_is_not_found_and_nothing_changes() {
    let running = quiet();
    let account = running.account("asks");
    let stranger = running.account("stranger");
    let theirs = id_of(&running, &stranger.session);
    let own = id_of(&running, &account.session);
    let nobodys = "018f4a7e-0000-4000-8000-000000000000";
    let before = running.database.time_travel().belongings(&stranger.username);
    let (first, rest) = own.split_at(1);
    let changed = format!("{}{rest}", if first == "0" { "1" } else { "0" });
    for id in [&theirs, nobodys, &changed] {
        running.client.end_session(&account.session, id).refused(404, "not_found");
    }
    let unused = running.database.fingerprint();
    let no_uuids = [
        "x",
        "current",
        "{id}",
        "..",
        "%2e%2e",
        &own.replace('-', ""),
        &own[..35],
        &format!("{own}0"),
        &format!("%7B{own}%7D"),
        &format!("urn:uuid:{own}"),
        &own.replacen('-', "%2D", 1),
        &account.session,
        "'%20OR%201=1%20--",
        "0",
    ];
    for id in no_uuids {
        running.client.end_session(&account.session, id).refused(404, "not_found");
    }
    assert_eq!(running.database.fingerprint(), unused, "what is no uuid is not even looked up");
    assert_eq!(running.database.time_travel().belongings(&stranger.username), before);
    assert_eq!(running.client.session(&stranger.session).status, 200);
    assert_eq!(running.client.session(&account.session).status, 200);
}

#[test]
fn without_a_session_there_is_nothing_to_list_or_end() {
    let running = shared();
    let account = running.account("nobody");
    let id = id_of(running, &account.session);
    let path = format!("/api/sessions/{id}");
    running.client.get("/api/sessions").send().refused(401, "session_invalid");
    running.client.delete(&path).send().refused(401, "session_invalid");
    running.client.get("/api/sessions").bearer(&account.session).send().refused(401, "session_invalid");
    running.client.delete(&path).bearer(&account.session).send().refused(401, "session_invalid");
    for cookie in ["", "x", &harness::journey::another_token(&account.session), &id] {
        running.client.sessions(cookie).refused(401, "session_invalid");
        running.client.end_session(cookie, &id).refused(401, "session_invalid");
    }
    assert_eq!(list(running, &account.session).len(), 1);
}

#[test]
fn a_suspended_account_lists_and_ends_nothing() {
    let running = shared();
    let account = running.account("barred-list");
    let id = id_of(running, &account.session);
    running.database.time_travel().suspend(&account.username);
    running.client.sessions(&account.session).refused(401, "session_invalid");
    running.client.end_session(&account.session, &id).refused(401, "session_invalid");
}

#[test]
fn the_log_names_the_route_and_not_the_session() {
    let running = quiet();
    let account = running.account("logged");
    let id = "018f4a7e-1111-4222-8333-444444444444";
    running.client.end_session(&account.session, id).refused(404, "not_found");
    running.app.expect_log("method=DELETE route=\"/api/sessions/{id}\" status=404 code=not_found");
    assert!(!running.app.log().contains(id));
}
