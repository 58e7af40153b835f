//! What the link of the code leads to.

use crate::person::Person;

const UNKNOWN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(super) fn ready(person: &Person<'_>) {
    scan_new_code(person);
}

pub(super) fn password(person: &Person<'_>) {
    scan_new_code(person);
    person.click("reveal");
    person.shown("password");
}

pub(super) fn password_unfolded(person: &Person<'_>) {
    password(person);
    person.unfold("spelling");
    person.unfold("password-share");
}

pub(super) fn used(person: &Person<'_>) {
    let start = person.site.client.start(&person.site.username("used"));
    let _ = person.site.client.password(&start.reveal);
    scan(person, &start.reveal);
    person.click("reveal");
    person.expect_problem("token_used");
}

pub(super) fn expired(person: &Person<'_>) {
    let start = person.site.client.start(&person.site.username("expired"));
    person.site.database.time_travel().expire_reveal(&start.username);
    scan(person, &start.reveal);
    person.click("reveal");
    person.expect_problem("token_expired");
}

pub(super) fn unknown(person: &Person<'_>) {
    scan(person, UNKNOWN);
    person.click("reveal");
    person.expect_problem("token_unknown");
}

pub(super) fn empty(person: &Person<'_>) {
    person.visit("/reveal");
    person.shown("step-gone");
}

fn scan_new_code(person: &Person<'_>) {
    let start = person.site.client.start(&person.site.username("camille.martin"));
    scan(person, &start.reveal);
}

fn scan(person: &Person<'_>, token: &str) {
    person.visit(&format!("/reveal#{token}"));
    person.shown("step-reveal");
}
