//! What an operator does for people who cannot log in: all that is stored about them, as their own page would give it, and
//! its removal. By the owner's tool, beside the running service.

use harness::at_rest::said;
use harness::dump::{gives_away, stored_forms};
use harness::shared::Running;
use harness::{TestDatabase, shared};
use serde_json::{Value, json};

/// What the tool prints of an account, without the end of the line.
#[track_caller]
fn export(database: &TestDatabase, name: &str) -> String {
    let output = database.ops(&["export", name]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    text.strip_suffix('\n').expect("it is one line").to_owned()
}

#[track_caller]
fn erase(database: &TestDatabase, name: &str) -> String {
    let output = database.ops(&["erase", name]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_operator_gets_of_an_account_byte_for_byte_what_its_page_exports() {
    let running = shared();
    let account = running.account("exported.as-its_page");
    let other = running.login(&account).session();
    for _ in 0..5 {
        let wrong = running.wrong_code(&account);
        running
            .client
            .login(&account.username, &account.password, &wrong)
            .refused(401, "invalid_credentials");
    }
    let page = running.client.own_account(&other).text().replace("\"current\":true", "\"current\":false");
    assert_eq!(export(&running.database, &account.username), page);
}

#[test]
fn an_export_for_somebody_who_cannot_log_in_has_all_fields_and_opens_nothing() {
    let running = shared();
    let (database, travel) = (&running.database, running.database.time_travel());
    let [suspended, expired] = ["suspended", "expired"].map(|hint| running.account(hint));
    travel.suspend(&suspended.username);
    let renewal_token = running.renewal_token(&expired);
    let renewal = running.client.start_with(&expired.username, &renewal_token);
    let pending = running.client.start(&running.username("pending"));
    let page: Value = running.client.own_account(&running.account("page").session).ok(200);
    let fields = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let secrets = [
        &suspended.password,
        &suspended.secret,
        &suspended.session,
        &suspended.start.enrollment,
        &suspended.start.reveal,
        &expired.password,
        &expired.secret,
        &renewal_token,
        &renewal.enrollment,
        &renewal.reveal,
        &pending.enrollment,
        &pending.reveal,
    ];
    for (name, state) in
        [(&suspended.username, "suspended"), (&expired.username, "expired"), (&pending.username, "pending")]
    {
        let text = export(database, name);
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(fields(&told), fields(&page), "{told}");
        assert_eq!((&told["username"], &told["state"]), (&json!(name), &json!(state)));
        assert_eq!(told["credential"].is_null(), state == "pending", "{told}");
        assert_eq!(told["unconfirmed_credential"].is_null(), state == "suspended", "{told}");
        assert!(told["events"][0]["kind"].is_string(), "{told}");
        for secret in secrets {
            assert!(!gives_away(&text, secret), "{told}");
            assert!(!stored_forms(secret).iter().any(|hash| text.contains(hash)), "{told}");
        }
        assert!(!text.contains(&travel.account_id(name)), "what events are kept under when the name is gone");
    }
}

#[test]
fn what_an_operator_erases_is_in_no_table_any_more_and_what_stays_names_nobody() {
    let running = Running::start();
    let (database, travel) = (&running.database, running.database.time_travel());
    let [suspended, lost] = ["suspended", "lost"].map(|hint| running.account(hint));
    let renewal_token = running.renewal_token(&lost);
    let renewal = running.client.start_with(&lost.username, &renewal_token);
    travel.suspend(&suspended.username);
    let pending = running.client.start(&running.username("pending"));
    let stranger = running.account("stranger");
    let theirs = database.rows_of(&stranger.username);
    for (name, is_reserved, tokens) in [
        (&suspended.username, true, vec![&suspended.session, &suspended.start.reveal]),
        (&lost.username, true, vec![&lost.session, &renewal_token, &renewal.enrollment, &renewal.reveal]),
        (&pending.username, false, vec![&pending.enrollment, &pending.reveal]),
    ] {
        let id = travel.account_id(name);
        let told = erase(database, name);
        let dump = database.dump();
        assert!(!dump.contains(name.as_str()), "the name is still there");
        for token in tokens {
            assert!(!stored_forms(token).iter().any(|hash| dump.contains(hash)), "a token is still there");
        }
        let events = travel.events_of_id(&id);
        assert_eq!(dump.matches(&id).count(), events.len(), "its id is in its events and nowhere else");
        assert_eq!(events.last().map(String::as_str), Some("erase/ok"));
        assert!(told.contains(&format!("stays: {} events, ", events.len())), "{told}");
        assert_eq!(told.contains("stays: the name, as a hash, until 20"), is_reserved, "{told}");
        let answer = running.client.start_request(name).send();
        assert_eq!(answer.status, if is_reserved { 409 } else { 201 }, "{answer:?}");
    }
    running.client.session(&lost.session).refused(401, "session_invalid");
    running.client.poll(&renewal.enrollment).refused(401, "token_invalid");
    assert_eq!(database.rows_of(&stranger.username), theirs);
}

#[test]
fn a_name_that_no_account_has_exports_and_erases_nothing() {
    let database = TestDatabase::fresh();
    let before = database.fingerprint();
    for name in ["nobody", "", " ", "é", "a\nb", "'; DELETE FROM identity.account; --", "%", "a'b\"c\\d"] {
        for command in ["export", "erase"] {
            let output = database.ops(&[command, name]).output().unwrap();
            assert_eq!(
                said(&output),
                "1\nidentity-ops: there is no account of that name\n",
                "{command} {name:?}"
            );
        }
    }
    assert_eq!(database.fingerprint(), before);
}
