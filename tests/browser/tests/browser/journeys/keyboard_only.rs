//! Somebody who has no mouse: every key is pressed, nothing is clicked or filled.

use fantoccini::key::Key;
use harness::Authenticator;

use crate::browser::DESK;
use crate::person::Person;
use crate::site::Site;

#[test]
fn with_the_keyboard_alone_a_person_creates_an_account_logs_out_and_logs_in() {
    let site = Site::start();
    let person = Person::at(&site, "keyboard", DESK);
    let username = begin(&person);
    let password = take_password(&person);
    let authenticator = add_second_factor(&person);
    confirm(&person, &password, &person.code(&authenticator));
    log_out(&person);
    site.database.time_travel().forget_used_steps(&username);
    log_in(&person, &username, &password, &person.code(&authenticator));
    assert_eq!(person.text("session-username"), username);
    assert_eq!(person.complaints(), Vec::<String>::new());
}

fn begin(person: &Person<'_>) -> String {
    let username = person.site.username("camille.martin");
    person.visit("/create");
    person.tab_to("*");
    assert!(person.has_focus("a[href='#main']"), "the first stop skips what every page begins with");
    person.press(Key::Enter);
    person.expect_that("document.activeElement.id === 'main'");
    person.tab_to("#username");
    person.type_keys(&username);
    person.expect_sendable("name-form");
    person.press(Key::Enter);
    person.shown("reveal-qr");
    expect_focus_on_heading(person);
    username
}

fn take_password(person: &Person<'_>) -> String {
    person.tab_to("#reveal-here");
    person.press(Key::Enter);
    let password = person.text("password");
    expect_focus_on_heading(person);
    person.tab_to("#spelling summary");
    person.press(Key::Enter);
    person.shown("spelled");
    person.tab_to("#go-on");
    person.press_with_shift(Key::Tab);
    assert!(!person.has_focus("#go-on"), "Shift and Tab lead back");
    person.tab_to("#go-on");
    person.press(Key::Space);
    password
}

fn add_second_factor(person: &Person<'_>) -> Authenticator {
    let authenticator = Authenticator::scan(&person.read_qr("totp-qr", "second-factor"));
    expect_focus_on_heading(person);
    person.tab_to("#totp-new summary");
    person.press(Key::Space);
    person.expect_that("document.getElementById('totp-secret').checkVisibility()");
    authenticator
}

fn confirm(person: &Person<'_>, password: &str, code: &str) {
    person.tab_to("#confirm-password");
    person.type_keys(password);
    person.tab_to("#show-password");
    person.press(Key::Space);
    person.expect_that("document.getElementById('confirm-password').type === 'text'");
    person.tab_to("#code");
    person.type_keys(code);
    person.tab_to("#confirm-form button[type=submit]");
    person.press(Key::Enter);
    person.shown("done-account");
    expect_focus_on_heading(person);
}

fn log_out(person: &Person<'_>) {
    person.tab_to("#done-account a");
    person.press(Key::Enter);
    person.shown("session-username");
    person.tab_to("#log-out");
    person.press(Key::Space);
    person.shown("step-signed-out");
    expect_focus_on_heading(person);
}

fn log_in(person: &Person<'_>, username: &str, password: &str, code: &str) {
    person.tab_to("#step-signed-out a");
    person.press(Key::Enter);
    person.shown("login-form");
    person.expect_sendable("login-form");
    person.tab_to("#username");
    person.type_keys(username);
    person.press(Key::Tab);
    person.type_keys(password);
    person.tab_to("#code");
    person.type_keys(code);
    person.press(Key::Enter);
    person.shown("step-session");
}

/// A step that comes takes the focus along, so that a screen reader goes on there.
fn expect_focus_on_heading(person: &Person<'_>) {
    person.expect_that("document.activeElement.matches('h1') && document.activeElement.checkVisibility()");
}
