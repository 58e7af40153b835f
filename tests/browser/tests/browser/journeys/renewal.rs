//! A renewal is no creation: its reader has an account already.

use serde_json::json;

use crate::browser::PHONE;
use crate::person::Person;
use crate::site::Site;

#[test]
fn a_renewal_is_still_one_after_a_reload_and_offers_no_other_name() {
    let site = Site::start();
    let person = Person::at(&site, "renewing", PHONE);
    let username = person.begin_renewal();
    person.reload();
    person.shown("renewal-intro");
    person.fill("username", &username);
    person.submit("name-form");
    person.shown("reveal-qr");
    person.reload();
    person.shown("step-reveal");
    person.expect_that("!document.getElementById('give-up-name').checkVisibility()");
    let (kept, ..) = person.kept();
    assert_eq!(kept.as_array().map(Vec::len), Some(2), "the two tokens: {kept}");
}

#[test]
fn whoever_gives_a_renewal_up_is_at_the_login_again() {
    let site = Site::start();
    let person = Person::at(&site, "giving-up", PHONE);
    person.begin_renewal();
    person.click("give-up-renewal");
    person.shown("login-form");
    assert_eq!(person.kept(), (json!([]), json!([]), site.page("/login")));
}
