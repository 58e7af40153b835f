//! A phone alone, which drops the tab whenever its owner is in another application.

use harness::Authenticator;

use crate::browser::PHONE;
use crate::person::Person;
use crate::site::Site;

#[test]
fn on_a_phone_that_drops_the_tab_between_all_steps_an_account_is_created_all_the_same() {
    let site = Site::start();
    let person = Person::at(&site, "dropped", PHONE);
    let username = person.begin();
    drop_tab(&person);
    person.shown("step-reveal");
    person.click("new-code");
    let password = person.show_here();
    // The password is in the password manager; the browser had to make room for that.
    drop_tab(&person);
    person.shown("step-totp");
    person.click("new-secret");
    let authenticator = Authenticator::scan(&person.read_qr("totp-qr", "second-factor"));
    drop_tab(&person);
    person.shown("step-totp");
    assert!(!person.scrolls_sideways());
    let code = person.code(&authenticator);
    person.confirm(&password, &format!(" {} {} ", &code[..3], &code[3..]));
    assert_eq!(person.text("done-username"), username);
    drop_tab(&person);
    person.expect_that("sessionStorage.length === 0");
    person.log_in(&username, &password, &next_code(&person, &username, &authenticator));
    assert_eq!(person.text("session-username"), username);
    assert_eq!(person.complaints(), Vec::<String>::new());
}

/// The tab makes room for another page, comes back, and is loaded again.
fn drop_tab(person: &Person<'_>) {
    person.go("about:blank");
    person.back();
    person.reload();
}

fn next_code(person: &Person<'_>, username: &str, authenticator: &Authenticator) -> String {
    person.site.database.time_travel().forget_used_steps(username);
    person.code(authenticator)
}
