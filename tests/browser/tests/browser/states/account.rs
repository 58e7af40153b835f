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

/// Two sessions: the activation opened the other one.
pub(super) fn sessions(person: &Person<'_>) {
    signed_in(person);
    person.click("list-sessions");
    person.shown("step-sessions");
}

pub(super) fn downloaded(person: &Person<'_>) {
    signed_in(person);
    person.click("download");
    person.expect_status("account.downloaded");
}

pub(super) fn deletion(person: &Person<'_>) {
    signed_in(person);
    person.click("begin-deletion");
    person.shown("deletion-form");
}

pub(super) fn deletion_refused(person: &Person<'_>) {
    deletion(person);
    person.delete("not this one", "000000");
    person.expect_problem("invalid_credentials@confirm");
}

pub(super) fn deleted(person: &Person<'_>) {
    let account = person.site.account("camille.martin");
    person.log_in_to(&account);
    person.click("begin-deletion");
    person.delete(&account.password, &person.site.fresh_code(&account));
    person.shown("step-deleted");
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
