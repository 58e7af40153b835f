//! What people do with their own sessions, data and account.

use std::fs;

use harness::deadline;
use serde_json::Value;

use crate::browser::{DESK, PATIENCE, PHONE};
use crate::person::Person;
use crate::site::Site;

#[test]
fn a_session_that_is_ended_on_another_screen_is_over() {
    let site = Site::start();
    let account = site.account("camille.martin");
    let (desk, phone) = (Person::at(&site, "desk", DESK), Person::at(&site, "phone", PHONE));
    phone.log_in_to(&account);
    phone.shown("step-session");
    desk.log_in_to(&account);

    desk.click("list-sessions");
    desk.shown("step-sessions");
    // Newest first: the desk's, the phone's, and that of the activation.
    assert_eq!(desk.script("return document.querySelectorAll('#sessions li').length", &[]), 3);
    assert_eq!(desk.script("return document.querySelectorAll('#sessions button').length", &[]), 2);
    desk.screen("sessions");
    desk.script("document.querySelector('#sessions li:nth-child(2) button').click()", &[]);
    desk.expect_status("account.loggedOut");
    assert_eq!(desk.script("return document.querySelectorAll('#sessions li').length", &[]), 2);

    // Where nothing was told, the next thing that is asked for tells.
    phone.click("list-sessions");
    phone.shown("step-signed-out");
    desk.click("back-from-sessions");
    assert_eq!(desk.text("session-username"), account.username);
}

#[test]
fn what_is_stored_about_a_person_comes_as_a_file() {
    let site = Site::start();
    let account = site.account("camille.martin");
    let person = Person::at(&site, "export", DESK);
    person.log_in_to(&account);
    person.click("download");
    person.expect_status("account.downloaded");
    let file = site.downloads().join(format!("cofrap-{}.json", account.username));
    let text = deadline::poll(PATIENCE, || fs::read_to_string(&file).ok()).expect("the file is there");
    let stored: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(stored["username"], account.username.as_str());
    assert!(!stored["events"].as_array().unwrap().is_empty());
    assert!(!text.contains(&account.password));
}

#[test]
fn a_person_deletes_their_account_and_nobody_can_log_in_to_it() {
    let site = Site::start();
    let account = site.account("camille.martin");
    let person = Person::at(&site, "leaving", PHONE);
    person.log_in_to(&account);
    person.click("begin-deletion");
    assert_eq!(person.typed("deletion-username"), account.username);
    person.delete("not this one", &site.fresh_code(&account));
    person.expect_problem("invalid_credentials@confirm");
    assert_eq!((person.typed("password"), person.typed("code")), ("not this one".to_owned(), String::new()));

    // Going back leaves nothing typed behind.
    person.click("back-from-deletion");
    person.click("begin-deletion");
    assert_eq!(person.typed("password"), "");
    person.delete(&account.password, &site.fresh_code(&account));
    person.shown("step-deleted");

    person.visit("/account");
    person.shown("step-signed-out");
    site.client.login(&account.username, &account.password, "000000").refused(401, "invalid_credentials");
}
