//! What is left on a screen, in a browser, when the person has gone on.

use serde_json::json;

use crate::browser::{DESK, PHONE};
use crate::person::Person;
use crate::site::Site;

#[test]
fn who_goes_back_after_a_reveal_finds_no_password() {
    let site = Site::start();
    let person = Person::at(&site, "back", PHONE);
    let start = site.client.start(&site.username("camille.martin"));
    person.visit(&format!("/reveal#{}", start.reveal));
    person.click("reveal");
    let password = person.text("password");
    assert_eq!(left_of(&person, &[&password, &start.reveal]), [password.as_str()], "it is on the screen");
    person.visit("/");
    person.back();
    person.shown("step-gone");
    assert!(left_of(&person, &[&password, &start.reveal]).is_empty());
}

#[test]
fn who_goes_back_to_the_creation_finds_no_password() {
    let site = Site::start();
    let person = Person::at(&site, "back-here", DESK);
    person.begin();
    let token = person.scanned_token();
    let password = person.show_here();
    person.visit("/");
    person.back();
    person.shown("step-totp");
    assert!(left_of(&person, &[&password, &token]).is_empty());
    let enrollment = person.script("return sessionStorage.getItem('enrollment')", &[]);
    let enrollment = enrollment.as_str().expect("the creation can go on");
    assert!(person.history().iter().all(|address| !address.contains(enrollment)), "{:?}", person.history());
}

#[test]
fn a_page_asks_before_it_is_left_only_while_it_shows_a_password_that_is_not_kept() {
    let site = Site::start();
    let person = Person::at(&site, "leaving", DESK);
    person.begin();
    assert!(!asks_before_leaving(&person), "with a code on the screen nothing is lost");
    person.show_here();
    assert!(asks_before_leaving(&person));
    person.go_on_to_second_factor();
    assert!(!asks_before_leaving(&person));
}

#[test]
fn the_browser_keeps_the_language_and_nothing_else() {
    let site = Site::start();
    let person = Person::at(&site, "keeps", DESK);
    person.visit("/");
    person.click("language");
    person.expect_that("document.documentElement.lang === 'en'");
    person.begin();
    let password = person.show_here();
    let authenticator = person.go_on_to_second_factor();
    person.confirm(&password, &person.code(&authenticator));
    person.shown("done-account");
    let (session, local, address) = person.kept();
    assert_eq!((session, local), (json!([]), json!(["language"])));
    assert_eq!(address, site.page("/create"));
    assert_eq!(person.script("return [document.cookie, history.state]", &[]), json!(["", null]));
}

fn asks_before_leaving(person: &Person<'_>) -> bool {
    let script = "const leaving = new Event('beforeunload', { cancelable: true });
         dispatchEvent(leaving);
         return leaving.defaultPrevented";
    person.script(script, &[]) == true
}

/// Which of these secrets the page, what it keeps or the tab's history still holds.
fn left_of(person: &Person<'_>, secrets: &[&str]) -> Vec<String> {
    let found = person.script(HELD, &[json!(secrets), json!(person.history())]);
    found.as_array().unwrap().iter().map(|secret| secret.as_str().unwrap().to_owned()).collect()
}

const HELD: &str = "
    const [secrets, history] = arguments;
    const elements = [...document.querySelectorAll('*')];
    const held = [
        document.documentElement.textContent,
        ...elements.flatMap((element) => [...element.attributes].map((attribute) => attribute.value)),
        ...elements.map((element) => element.value),
        ...Object.values(localStorage), ...Object.values(sessionStorage), document.cookie, location.href,
        JSON.stringify(window.history.state), ...history,
    ];
    return secrets.filter((secret) => held.some((text) => String(text).includes(secret)));";
