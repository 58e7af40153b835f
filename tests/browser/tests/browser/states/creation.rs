//! What happens on the way to an account.

use crate::person::Person;

pub(super) fn name(person: &Person<'_>) {
    person.visit("/create");
    person.shown("name-form");
}

pub(super) fn name_invalid(person: &Person<'_>) {
    type_name(person, "a b");
    person.expect_problem("invalid_username");
}

pub(super) fn name_taken(person: &Person<'_>) {
    let account = person.site.account("taken");
    type_name(person, &account.username);
    person.expect_problem("username_taken");
}

pub(super) fn name_offline(person: &Person<'_>) {
    name(person);
    person.fill("username", "camille.martin");
    person.set_network(false);
    person.submit("name-form");
    person.expect_problem("network");
    person.shown("retry");
    // The other language has to be fetched to be looked at.
    person.set_network(true);
}

fn type_name(person: &Person<'_>, name: &str) {
    person.visit("/create");
    person.fill("username", name);
    person.submit("name-form");
}

/// The page was reloaded while the service is away.
pub(super) fn resume_unavailable(person: &Person<'_>) {
    person.begin();
    person.site.database.refuse_connections();
    person.reload();
    person.expect_problem("unavailable");
}

pub(super) fn code(person: &Person<'_>) {
    person.begin();
}

pub(super) fn code_reloaded(person: &Person<'_>) {
    person.begin();
    person.reload();
    person.shown("step-reveal");
}

/// Somebody else was faster, and the page has not asked yet.
pub(super) fn code_used(person: &Person<'_>) {
    person.begin();
    let token = person.scanned_token();
    person.hold_questions();
    let _ = person.site.client.password(&token);
    person.click("reveal-here");
    person.expect_problem("token_used@create");
    person.shown("go-on-used");
}

pub(super) fn code_expired(person: &Person<'_>) {
    let username = person.begin();
    person.site.database.time_travel().expire_reveal(&username);
    person.shown("reveal-expired");
}

pub(super) fn password(person: &Person<'_>) {
    person.begin();
    person.show_here();
}

pub(super) fn password_unfolded(person: &Person<'_>) {
    password(person);
    person.unfold("spelling");
    person.unfold("password-share");
}

pub(super) fn second_factor(person: &Person<'_>) {
    password(person);
    person.click("go-on");
    person.shown("totp-qr");
}

pub(super) fn second_factor_unfolded(person: &Person<'_>) {
    second_factor(person);
    person.unfold("totp-new");
}

pub(super) fn second_factor_resumed(person: &Person<'_>) {
    second_factor(person);
    person.reload();
    person.shown("step-totp");
}

pub(super) fn second_factor_refused(person: &Person<'_>) {
    second_factor(person);
    person.confirm("not this one", "000000");
    person.expect_problem("invalid_credentials@confirm");
}

/// One wrong code too many, and then another try at once.
pub(super) fn second_factor_wait(person: &Person<'_>) {
    let username = person.begin();
    let password = person.show_here();
    let authenticator = person.go_on_to_second_factor();
    let wrong_code = || authenticator.wrong_code_at(person.site.database.now());
    person.site.database.time_travel().set_wrong_codes_of_the_start(&username, 4);
    person.confirm(&password, &wrong_code());
    person.expect_problem("invalid_credentials@confirm");
    person.confirm(&password, &wrong_code());
    person.expect_problem("too_many_attempts");
}

pub(super) fn done(person: &Person<'_>) {
    person.begin();
    let password = person.show_here();
    let authenticator = person.go_on_to_second_factor();
    person.confirm(&password, &person.code(&authenticator));
    person.shown("done-account");
}

/// The quarter of an hour is over.
pub(super) fn over(person: &Person<'_>) {
    let username = person.begin();
    person.site.database.time_travel().expire_start(&username);
    person.click("new-code");
    person.expect_problem("token_invalid");
}
