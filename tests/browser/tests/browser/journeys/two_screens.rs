//! Create at the desk, reveal on the phone, activate, log out, log in, expire, renew.

use harness::Authenticator;
use serde_json::json;

use crate::browser::{DESK, PHONE};
use crate::person::Person;
use crate::site::Site;

const USERNAME: &str = "camille.martin";

/// A person with a desk and a phone.
struct World<'site> {
    site: &'site Site,
    desk: Person<'site>,
    phone: Person<'site>,
}

impl<'site> World<'site> {
    fn new(site: &'site Site) -> Self {
        Self { site, desk: Person::at(site, "desk", DESK), phone: Person::at(site, "phone", PHONE) }
    }

    /// From the name on the desk's page to the password that the phone shows. The desk moves on by itself.
    fn receive_password(&self, picture: &str) -> String {
        let link = self.desk.read_qr("reveal-qr", &format!("{picture}-reveal-code"));
        assert!(link.starts_with(&self.site.page("/reveal#")), "{link}");
        self.phone.go(&link);
        self.phone.screen(&format!("{picture}-before-reveal"));
        self.phone.click("reveal");
        let password = self.phone.text("password");
        assert!(!self.phone.scrolls_sideways());
        let (session, local, address) = self.phone.kept();
        assert_eq!(
            (session, local, address),
            (json!([]), json!([]), self.site.page("/reveal")),
            "the phone keeps nothing"
        );
        self.phone.unfold("password-share");
        let read = self.phone.read_qr("password-qr", &format!("{picture}-password"));
        assert_eq!(read, password);
        password
    }

    /// Adds the second factor that the desk shows to an authenticator.
    fn add_second_factor(&self, picture: &str) -> Authenticator {
        let uri = self.desk.read_qr("totp-qr", &format!("{picture}-second-factor"));
        let authenticator = Authenticator::scan(&uri);
        assert_eq!(authenticator.issuer(), Some("COFRAP"));
        assert_eq!(authenticator.account_name(), USERNAME);
        authenticator
    }

    /// Confirms both, and returns the code that was used.
    fn activate(&self, password: &str, authenticator: &Authenticator) -> String {
        let code = self.code(authenticator);
        self.desk.confirm(password, &code);
        assert_eq!(self.desk.text("done-username"), USERNAME);
        assert_eq!(self.desk.kept().0, json!([]), "the enrollment token is forgotten");
        code
    }

    fn log_in(&self, password: &str, code: &str) {
        self.desk.log_in(USERNAME, password, code);
    }

    fn code(&self, authenticator: &Authenticator) -> String {
        self.desk.code(authenticator)
    }
}

#[test]
fn a_person_creates_an_account_logs_in_and_renews_after_six_months() {
    let site = Site::start();
    let world = World::new(&site);
    let desk = &world.desk;
    desk.visit("/");
    desk.screen("home");
    desk.visit("/create");
    desk.fill("username", " Camille.Martin ");
    desk.screen("create");
    desk.submit("name-form");
    let password = world.receive_password("create");
    let authenticator = world.add_second_factor("create");
    let used_code = world.activate(&password, &authenticator);
    desk.screen("create-done");

    desk.visit("/account");
    assert_eq!(desk.text("session-username"), USERNAME);
    desk.click("log-out");
    desk.shown("step-signed-out");

    world.log_in(&password, &used_code);
    desk.expect_problem("invalid_credentials");
    desk.screen("login-used-code");
    site.database.time_travel().forget_used_steps(USERNAME);
    world.log_in(&password, &world.code(&authenticator));
    assert_eq!(desk.text("session-username"), USERNAME);
    assert_eq!(desk.text("failed-before"), "1");
    desk.screen("account");

    renew_after_six_months(&world, &password, &authenticator);
}

fn renew_after_six_months(world: &World<'_>, old_password: &str, old_authenticator: &Authenticator) {
    let desk = &world.desk;
    world.site.database.time_travel().expire_credentials(USERNAME);
    world.site.database.time_travel().forget_used_steps(USERNAME);
    world.log_in(old_password, &world.code(old_authenticator));
    desk.shown("renewal-intro");
    desk.screen("renew");
    desk.submit("name-form");
    let password = world.receive_password("renew");
    let authenticator = world.add_second_factor("renew");
    world.activate(&password, &authenticator);
    assert_ne!(password, old_password);

    world.log_in(old_password, &world.code(old_authenticator));
    desk.expect_problem("invalid_credentials");
}

#[test]
fn a_reload_at_any_step_goes_on_where_it_was_and_a_used_code_says_so() {
    let site = Site::start();
    let world = World::new(&site);
    let desk = &world.desk;
    desk.visit("/create");
    desk.fill("username", USERNAME);
    desk.submit("name-form");
    desk.shown("reveal-qr");
    desk.reload();
    desk.shown("step-reveal");
    desk.click("new-code");
    let password = world.receive_password("reload");
    world.add_second_factor("reload");

    desk.reload();
    desk.shown("step-totp");
    let (session, local, address) = desk.kept();
    assert_eq!(session.as_array().map(Vec::len), Some(1), "the enrollment token and nothing else: {session}");
    assert_eq!((local, address), (json!([]), site.page("/create")));
    desk.screen("reload-resumed");
    desk.click("new-secret");
    let authenticator = world.add_second_factor("reload-again");
    desk.confirm("not this one", &world.code(&authenticator));
    desk.expect_problem("invalid_credentials@confirm");
    world.activate(&password, &authenticator);

    // The same code, once more, on the phone.
    world.phone.go("about:blank");
    world.phone.go(&site.page("/reveal#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    world.phone.click("reveal");
    world.phone.expect_problem("token_unknown");
    world.phone.screen("unknown-code");
}

#[test]
fn without_a_phone_everything_happens_in_one_browser() {
    let site = Site::start();
    let world = World::new(&site);
    let phone = &world.phone;
    phone.visit("/create");
    phone.fill("username", USERNAME);
    phone.screen("alone-create");
    phone.submit("name-form");
    phone.shown("reveal-qr");
    assert!(!phone.scrolls_sideways());
    let link = phone.read_qr("reveal-qr", "alone-reveal-code");
    phone.click("reveal-here");
    let password = phone.text("password");
    phone.screen("alone-password");
    assert_eq!(password.chars().count(), 24);

    // Somebody else scans the code that was used.
    world.desk.go(&link);
    world.desk.click("reveal");
    world.desk.expect_problem("token_used");
    world.desk.screen("used-code");

    phone.click("go-on");
    let authenticator = Authenticator::scan(&phone.read_qr("totp-qr", "alone-second-factor"));
    assert!(!phone.scrolls_sideways());
    let code = world.code(&authenticator);
    phone.confirm(&password, &format!("{} {}", &code[..3], &code[3..]));
    phone.shown("step-done");
    phone.screen("alone-done");
    world.desk.visit("/nothing-here");
    world.desk.screen("not-found");
}

#[test]
fn when_somebody_else_used_the_code_the_desk_says_so_and_does_not_go_on() {
    let site = Site::start();
    let world = World::new(&site);
    let desk = &world.desk;
    desk.visit("/create");
    desk.fill("username", USERNAME);
    desk.submit("name-form");
    let link = desk.read_qr("reveal-qr", "intercepted-code");
    // The desk asks every two seconds whether the password was revealed; here its owner is faster.
    desk.hold_questions();
    world.phone.go(&link);
    world.phone.click("reveal");
    world.phone.shown("password");
    desk.click("reveal-here");
    desk.expect_problem("token_used@create");
    desk.ask_again_for_a_while();
    desk.expect_problem("token_used@create");
    desk.screen("intercepted");
    desk.click("new-code");
    desk.shown("reveal-code");

    // Or it was the reader, who goes on with the password.
    let link = desk.read_qr("reveal-qr", "own-code");
    desk.hold_questions();
    world.phone.go(&link);
    world.phone.click("reveal");
    let password = world.phone.text("password");
    desk.click("reveal-here");
    desk.click("go-on-used");
    let authenticator = world.add_second_factor("own-code");
    world.activate(&password, &authenticator);
}
