//! Whoever an operation refuses leaves exactly one event: what it was, how it ended, and whose account it concerns.

use harness::journey::{another_password, another_token};
use harness::shared::Running;
use harness::{Answer, quiet};

/// Sends a request that is refused, and holds what it left against `kind/outcome` and the account's name.
#[track_caller]
fn leaves(running: &Running, event: &str, owner: Option<&str>, request: impl FnOnce() -> Answer) {
    let before = running.database.events();
    let answer = request();
    assert!((400..500).contains(&answer.status), "{event}: {answer:?}");
    assert_eq!(running.database.events(), before + 1, "{event}");
    let (newest, whose) = running.database.newest_event();
    assert_eq!((newest.as_str(), whose.as_deref()), (event, owner));
}

#[test]
fn a_refused_start_leaves_one_event() {
    let running = quiet();
    let (client, travel) = (&running.client, running.database.time_travel());
    let account = running.account("refused");
    let [start, late] = ["refused-start", "late"].map(|hint| client.start(&running.username(hint)));
    let (nobody, starter) = (None, Some(start.username.as_str()));
    let unknown = another_token(&start.enrollment);
    let guess = "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!";

    let taken = client.start_request(&account.username);
    leaves(&running, "start/username_taken", nobody, || taken.send());
    let renewal = client.start_request(&account.username).bearer(&unknown);
    leaves(&running, "renew/token_invalid", nobody, || renewal.send());
    let new_code = client.start_request(&account.username).bearer(&start.enrollment);
    leaves(&running, "new_code/token_invalid", starter, || new_code.send());
    leaves(&running, "poll/token_invalid", nobody, || client.poll(&unknown));
    leaves(&running, "reveal/token_unknown", nobody, || client.reveal(&unknown));
    leaves(&running, "reveal/token_used", Some(&account.username), || client.reveal(&account.start.reveal));
    travel.expire_reveal(&late.username);
    leaves(&running, "reveal/token_expired", Some(&late.username), || client.reveal(&late.reveal));

    let confirm = |password: &str, code: &str| client.confirm(&start.enrollment, password, code);
    leaves(&running, "enroll/token_invalid", nobody, || client.enroll(&unknown));
    leaves(&running, "enroll/password_not_revealed", starter, || client.enroll(&start.enrollment));
    leaves(&running, "activate/token_invalid", nobody, || client.confirm(&unknown, guess, "123456"));
    leaves(&running, "activate/password_not_revealed", starter, || confirm(guess, "123456"));
    let password = client.password(&start.reveal);
    leaves(&running, "activate/totp_not_started", starter, || confirm(&password, "123456"));
    let phone = client.enrolled(&start.enrollment).authenticator;
    leaves(&running, "activate/wrong_password", starter, || confirm(guess, "123456"));
    let wrong = phone.wrong_code_at(running.database.now());
    leaves(&running, "activate/wrong_code", starter, || confirm(&password, &wrong));
    travel.set_wrong_codes_of_the_start(&start.username, 4);
    leaves(&running, "activate/wrong_code_locks", starter, || confirm(&password, &wrong));
    leaves(&running, "activate/waiting", starter, || confirm(&password, &wrong));
    travel.set_wrong_codes_of_the_start(&start.username, 19);
    leaves(&running, "activate/wrong_code_ends_start", starter, || confirm(&password, &wrong));
}

#[test]
fn a_refused_login_leaves_one_event() {
    let running = quiet();
    let (client, travel) = (&running.client, running.database.time_travel());
    let [account, expired] = ["refused", "refused-old"].map(|hint| running.account(hint));
    let owner = Some(account.username.as_str());
    let login = |password: &str, code: &str| client.login(&account.username, password, code);
    let (password, wrong_password) = (&account.password, another_password(&account.password));

    leaves(&running, "login/wrong_password", None, || client.login("nobody-there", password, "123456"));
    leaves(&running, "login/wrong_password", owner, || login(&wrong_password, "123456"));
    let used = running.fresh_code(&account);
    assert_eq!(login(password, &used).status, 200);
    leaves(&running, "login/reused_code", owner, || login(password, &used));
    let wrong = running.wrong_code(&account);
    for (counted, event) in
        [(0, "login/wrong_code"), (4, "login/wrong_code_locks"), (99, "login/wrong_code_suspends")]
    {
        travel.set_wrong_codes(&account.username, counted);
        leaves(&running, event, owner, || login(password, &wrong));
        if counted == 4 {
            leaves(&running, "login/waiting", owner, || login(password, &wrong));
        }
    }
    leaves(&running, "login/suspended", owner, || login(password, &wrong));
    travel.expire_credentials(&expired.username);
    leaves(&running, "login/expired", Some(&expired.username), || running.login(&expired));
}

#[test]
fn whoever_has_no_good_session_or_not_enough_leaves_one_event() {
    let running = quiet();
    let client = &running.client;
    let account = running.account("refused");
    let (nobody, owner) = (None, Some(account.username.as_str()));
    let unknown = another_token(&account.session);
    let nobodys = "018f4a7e-0000-4000-8000-000000000000";
    let (password, wrong_password) = (&account.password, another_password(&account.password));

    leaves(&running, "session/session_invalid", nobody, || client.session(&unknown));
    leaves(&running, "session/session_invalid", nobody, || client.sessions(&unknown));
    leaves(&running, "session/session_invalid", nobody, || client.own_account(&unknown));
    leaves(&running, "logout/session_invalid", nobody, || client.logout(&unknown));
    leaves(&running, "end_session/session_invalid", nobody, || client.end_session(&unknown, nobodys));
    leaves(&running, "end_session/session_unknown", owner, || client.end_session(&account.session, nobodys));
    let delete = |session: &str, password: &str, code: &str| client.delete_account(session, password, code);
    leaves(&running, "delete/session_invalid", nobody, || delete(&unknown, password, "123456"));
    leaves(&running, "delete/wrong_password", owner, || delete(&account.session, &wrong_password, "123456"));
    let wrong = running.wrong_code(&account);
    leaves(&running, "delete/wrong_code", owner, || delete(&account.session, password, &wrong));
}
