//! Logging in, and what may come instead.

use crate::person::Person;

pub(super) fn form(person: &Person<'_>) {
    person.visit("/login");
    person.shown("login-form");
}

pub(super) fn refused(person: &Person<'_>) {
    person.log_in("nobody", "not this one", "000000");
    person.expect_problem("invalid_credentials");
}

/// One wrong code too many, and then another try at once.
pub(super) fn wait(person: &Person<'_>) {
    let account = person.site.account("waiting");
    person.site.database.time_travel().set_wrong_codes(&account.username, 4);
    let wrong_code = || person.site.wrong_code(&account);
    person.log_in(&account.username, &account.password, &wrong_code());
    person.expect_problem("invalid_credentials");
    person.log_in(&account.username, &account.password, &wrong_code());
    person.expect_problem("too_many_attempts");
}

pub(super) fn suspended(person: &Person<'_>) {
    let account = person.site.account("suspended");
    person.site.database.time_travel().suspend(&account.username);
    person.log_in_to(&account);
    person.expect_problem("account_suspended");
}

pub(super) fn unavailable(person: &Person<'_>) {
    person.site.database.refuse_connections();
    person.log_in("camille.martin", "whatever it is", "000000");
    person.expect_problem("unavailable");
    person.shown("retry");
}

pub(super) fn expired(person: &Person<'_>) {
    person.begin_renewal();
}

pub(super) fn renewing(person: &Person<'_>) {
    person.begin_renewal();
    person.submit("name-form");
    person.shown("reveal-qr");
}

/// The quarter of an hour is over.
pub(super) fn renewal_over(person: &Person<'_>) {
    let username = person.begin_renewal();
    person.submit("name-form");
    person.shown("reveal-qr");
    person.site.database.time_travel().expire_start(&username);
    person.click("new-code");
    person.expect_problem("token_invalid@renewed");
}
