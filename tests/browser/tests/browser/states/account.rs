//! The page of who is logged in, and of who is not.

use crate::person::Person;

pub(super) fn signed_in(person: &Person<'_>) {
    person.log_in_to(&person.site.account("camille.martin"));
    person.shown("session-username");
}

/// Somebody tried in between.
pub(super) fn failures(person: &Person<'_>) {
    let account = person.site.account("camille.martin");
    person.site.client.login(&account.username, "not this one", "000000").refused(401, "invalid_credentials");
    person.log_in_to(&account);
    person.shown("failed-warning");
}

/// The last days of the six months.
pub(super) fn expiring(person: &Person<'_>) {
    let account = person.site.account("camille.martin");
    person.log_in_to(&account);
    person.site.database.time_travel().credentials_end_in(&account.username, 3 * 24 * 3600);
    person.visit("/account");
    person.shown("soon-warning");
}

pub(super) fn signed_out(person: &Person<'_>) {
    signed_in(person);
    person.click("log-out");
    person.shown("step-signed-out");
}

pub(super) fn unavailable(person: &Person<'_>) {
    signed_in(person);
    person.site.database.refuse_connections();
    person.visit("/account");
    person.expect_problem("unavailable");
}
