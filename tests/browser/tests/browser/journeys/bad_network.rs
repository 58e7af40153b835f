//! Networks that go away, a service that is away, and people who press a button twice.

use fantoccini::key::Key;
use harness::Authenticator;
use serde_json::json;

use crate::browser::{DESK, PHONE};
use crate::person::Person;
use crate::site::Site;

#[test]
fn without_a_network_what_was_typed_stays_and_the_same_can_be_tried_again() {
    let site = Site::start();
    let person = Person::at(&site, "offline", PHONE);
    let username = site.username("camille.martin");
    person.visit("/create");
    person.fill("username", &username);
    person.set_network(false);
    person.submit("name-form");
    person.expect_problem("network");
    assert_eq!(person.typed("username"), username);
    person.click("retry");
    person.expect_problem("network");
    person.set_network(true);
    person.click("retry");
    person.shown("reveal-qr");

    person.set_network(false);
    person.click("reveal-here");
    person.expect_problem("network");
    person.set_network(true);
    person.click("retry");
    assert_eq!(person.text("password").chars().count(), 24);
}

#[test]
fn while_the_service_is_away_what_was_typed_stays_and_the_same_can_be_tried_again() {
    let site = Site::start();
    let person = Person::at(&site, "away", DESK);
    let username = person.begin();
    let password = person.show_here();
    let authenticator = person.go_on_to_second_factor();
    let code = person.code(&authenticator);
    site.database.refuse_connections();
    person.confirm(&password, &code);
    person.expect_problem("unavailable");
    assert_eq!((person.typed("confirm-password"), person.typed("code")), (password.clone(), code));
    site.database.accept_connections();
    person.click("retry");
    person.shown("done-account");

    person.site.database.time_travel().forget_used_steps(&username);
    let code = person.code(&authenticator);
    site.database.refuse_connections();
    person.log_in(&username, &password, &code);
    person.expect_problem("unavailable");
    site.database.accept_connections();
    person.click("retry");
    assert_eq!(person.text("session-username"), username);
}

#[test]
fn when_the_answer_with_the_password_is_lost_the_page_asks_instead_of_going_on() {
    let site = Site::start();
    let person = Person::at(&site, "lost", PHONE);
    person.begin();
    person.script(LOSE_EVERY_ANSWER, &[]);
    person.click("reveal-here");
    person.expect_problem("network");
    person.ask_again_for_a_while();
    person.expect_problem("network");
    person.click("retry");
    person.expect_problem("token_used@create");
    assert!(person.has_focus("#step-reveal h1"), "the button that was pressed is gone");
    person.click("new-code");
    person.shown("reveal-qr");
}

#[test]
fn a_wait_that_nobody_sees_any_more_leaves_no_button_dead() {
    let site = Site::start();
    let person = Person::at(&site, "waiting", DESK);
    let username = person.begin();
    let password = person.show_here();
    let authenticator = person.go_on_to_second_factor();
    let wrong_code = || authenticator.wrong_code_at(site.database.now());
    site.database.time_travel().set_wrong_codes_of_the_start(&username, 4);
    person.confirm(&password, &wrong_code());
    person.expect_problem("invalid_credentials@confirm");
    person.confirm(&password, &wrong_code());
    person.expect_problem("too_many_attempts");
    person.click("new-secret");
    person.shown("totp-replaced");
    person.confirm(&password, &wrong_code());
    person.expect_problem("too_many_attempts");
}

#[test]
fn until_its_scripts_listen_a_page_takes_what_is_typed_and_lets_nobody_send_it() {
    let site = Site::start();
    let person = Person::at(&site, "slow", PHONE);
    for (page, form) in [("/create", "name-form"), ("/login", "login-form")] {
        person.hold_requests("*/messages/*");
        person.visit(page);
        person.fill("username", "camille.martin");
        person.press(Key::Enter);
        person.expect_that(&format!("document.querySelector('#{form} button[type=submit]').disabled"));
        person.release_requests();
        person.expect_sendable(form);
        assert_eq!(
            (person.address(), person.typed("username")),
            (site.page(page), "camille.martin".to_owned())
        );
    }
    person.visit("/create");
    person.expect_sendable("name-form");
    person.fill("username", "camille.martin");
    person.press(Key::Enter);
    person.shown("reveal-qr");
}

#[test]
fn a_double_click_sends_once() {
    let site = Site::start();
    let person = Person::at(&site, "double", DESK);
    person.visit("/create");
    person.fill("username", &site.username("camille.martin"));
    person.script(RECORD_WHAT_IS_SENT, &[]);
    // Time for a second click before the first one is answered.
    person.slow_network(300);
    person.double_click("#name-form button[type=submit]");
    person.shown("reveal-qr");
    person.double_click("#reveal-here");
    let password = person.text("password");
    person.double_click("#go-on");
    let authenticator = Authenticator::scan(&person.read_qr("totp-qr", "second-factor"));
    person.fill("confirm-password", &password);
    person.fill("code", &person.code(&authenticator));
    person.double_click("#confirm-form button[type=submit]");
    person.shown("done-account");
    let once_each = json!(["/api/password", "/api/password/reveal", "/api/totp", "/api/totp/confirm"]);
    assert_eq!(person.script("return window.sent", &[]), once_each);
}

const LOSE_EVERY_ANSWER: &str = "
    window.asked = window.fetch;
    window.fetch = async (...request) => {
        await window.asked(...request);
        throw new TypeError('the answer was lost');
    };";

const RECORD_WHAT_IS_SENT: &str = "
    const send = window.fetch;
    window.sent = [];
    window.fetch = (path, options) => {
        if (options?.method === 'POST') window.sent.push(path);
        return send(path, options);
    };";
