//! Somebody who reads English, and somebody who changes their mind.

use crate::browser::{DESK, ENGLISH};
use crate::messages::{in_english, in_french};
use crate::person::Person;
use crate::site::Site;

#[test]
fn a_browser_that_asks_for_english_gets_english_from_one_end_to_the_other() {
    let site = Site::start();
    let person = Person::with(&site, "english", DESK, ENGLISH);
    person.visit("/");
    expect_english(&person, "home.title");
    person.begin();
    expect_english(&person, "code.title");
    person.expect_that("!document.body.innerText.includes('Nouveau code')");
    let password = person.show_here();
    expect_english(&person, "password.title");
    let authenticator = person.go_on_to_second_factor();
    expect_english(&person, "factor.title");
    person.confirm("not this one", &person.code(&authenticator));
    person.expect_alert(in_english("problem.invalid_credentials@confirm"));
    person.confirm(&password, &person.code(&authenticator));
    person.shown("done-account");
    expect_english(&person, "done.title");
    person.visit("/account");
    person.shown("session-username");
    expect_english(&person, "account.signedIn");
}

#[test]
fn a_language_that_was_chosen_is_kept_after_a_reload_and_on_other_pages() {
    let site = Site::start();
    let person = Person::with(&site, "undecided", DESK, ENGLISH);
    person.log_in("nobody", "not this one", "000000");
    person.expect_alert(in_english("problem.invalid_credentials"));
    person.click("language");
    person.expect_alert(in_french("problem.invalid_credentials"));
    assert_eq!(person.typed("username"), "nobody", "what was typed stays");
    person.reload();
    expect_french(&person, "common.logIn");
    person.visit("/create");
    expect_french(&person, "common.create");
}

#[test]
fn a_code_that_was_used_is_refused_with_the_advice_to_wait_for_the_next_in_both_languages() {
    let site = Site::start();
    let person = Person::at(&site, "hasty", DESK);
    let account = site.account("camille.martin");
    let code = site.fresh_code(&account);
    let _ = site.client.login(&account.username, &account.password, &code).ok(200);
    person.log_in(&account.username, &account.password, &code);
    person.expect_problem("invalid_credentials");
    person.expect_alert("attendez que l’application affiche un nouveau code");
    person.click("language");
    person.expect_alert("wait");
    person.expect_alert("code");
}

fn expect_english(person: &Person<'_>, title: &str) {
    person.expect_heading(in_english(title));
    person.expect_that("document.documentElement.lang === 'en'");
}

fn expect_french(person: &Person<'_>, title: &str) {
    person.expect_heading(in_french(title));
    person.expect_that("document.documentElement.lang === 'fr'");
}
