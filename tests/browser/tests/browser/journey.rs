//! Create at the desk, reveal on the phone, activate, log out, log in, expire, renew.

use harness::{App, Authenticator, Config, TestDatabase};
use serde_json::json;

use crate::browser::{Browser, DESK, PHONE};
use crate::driver::Driver;

const USERNAME: &str = "camille.martin";

/// A running app, and a browser at the desk and on the phone.
struct World {
    database: TestDatabase,
    app: App,
    desk: Browser,
    phone: Browser,
    // Last, so that the browsers go before their driver.
    driver: Driver,
}

impl World {
    fn new() -> Self {
        let database = TestDatabase::fresh();
        let app = App::with(&Config::over(&database).with_links_to_itself());
        let driver = Driver::start();
        let desk = Browser::open(&driver, "desk", DESK);
        let phone = Browser::open(&driver, "phone", PHONE);
        Self { database, app, desk, phone, driver }
    }

    fn page(&self, path: &str) -> String {
        format!("http://{}{path}", self.app.address())
    }

    /// From the name on the desk's page to the password that the phone shows. The desk moves on by itself.
    fn receive_password(&self, picture: &str) -> String {
        let link = self.desk.read_qr("reveal-qr", &format!("{picture}-reveal-code"));
        assert!(link.starts_with(&self.page("/reveal#")), "{link}");
        self.phone.go(&link);
        self.phone.screen(&format!("{picture}-before-reveal"));
        self.phone.click("reveal");
        let password = self.phone.text("password");
        assert!(!self.phone.scrolls_sideways());
        let (session, local, address) = self.phone.kept();
        assert_eq!(
            (session, local, address),
            (json!([]), json!([]), self.page("/reveal")),
            "the phone keeps nothing"
        );
        self.phone.unfold("step-password");
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
        self.desk.fill("confirm-password", password);
        self.desk.fill("code", &code);
        self.desk.submit("confirm-form");
        assert_eq!(self.desk.text("done-username"), USERNAME);
        assert_eq!(self.desk.kept().0, json!([]), "the enrollment token is forgotten");
        code
    }

    fn log_in(&self, password: &str, code: &str) {
        self.desk.go(&self.page("/login"));
        self.desk.fill("username", USERNAME);
        self.desk.fill("password", password);
        self.desk.fill("code", code);
        self.desk.submit("login-form");
    }

    fn code(&self, authenticator: &Authenticator) -> String {
        authenticator.code_at(self.database.now())
    }

    fn close(self) {
        self.desk.close();
        self.phone.close();
        drop(self.driver);
    }
}

#[test]
fn a_person_creates_an_account_logs_in_and_renews_after_six_months() {
    let world = World::new();
    let desk = &world.desk;
    desk.go(&world.page("/"));
    desk.screen("home");
    desk.go(&world.page("/create"));
    desk.fill("username", " Camille.Martin ");
    desk.screen("create");
    desk.submit("name-form");
    let password = world.receive_password("create");
    let authenticator = world.add_second_factor("create");
    let used_code = world.activate(&password, &authenticator);
    desk.screen("create-done");

    desk.go(&world.page("/account"));
    assert_eq!(desk.text("session-username"), USERNAME);
    desk.click("log-out");
    desk.shown("step-signed-out");

    world.log_in(&password, &used_code);
    desk.expect_alert("attendez un nouveau code");
    desk.screen("login-used-code");
    world.database.time_travel().forget_used_steps(USERNAME);
    world.log_in(&password, &world.code(&authenticator));
    assert_eq!(desk.text("session-username"), USERNAME);
    assert_eq!(desk.text("failed-before"), "1");
    desk.screen("account");

    renew_after_six_months(&world, &password, &authenticator);
    world.close();
}

fn renew_after_six_months(world: &World, old_password: &str, old_authenticator: &Authenticator) {
    let desk = &world.desk;
    world.database.time_travel().expire_credentials(USERNAME);
    world.database.time_travel().forget_used_steps(USERNAME);
    world.log_in(old_password, &world.code(old_authenticator));
    desk.shown("renewal-intro");
    desk.screen("renew");
    desk.submit("name-form");
    let password = world.receive_password("renew");
    let authenticator = world.add_second_factor("renew");
    world.activate(&password, &authenticator);
    assert_ne!(password, old_password);

    world.log_in(old_password, &world.code(old_authenticator));
    desk.expect_alert("ne permettent pas de se connecter");
}

#[test]
fn a_reload_at_any_step_goes_on_where_it_was_and_a_used_code_says_so() {
    let world = World::new();
    let desk = &world.desk;
    desk.go(&world.page("/create"));
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
    assert_eq!((local, address), (json!([]), world.page("/create")));
    desk.screen("reload-resumed");
    desk.click("new-secret");
    let authenticator = world.add_second_factor("reload-again");
    desk.fill("confirm-password", "not this one");
    desk.fill("code", &world.code(&authenticator));
    desk.submit("confirm-form");
    desk.expect_alert("Le mot de passe ou le code ne correspond pas");
    world.activate(&password, &authenticator);

    // The same code, once more, on the phone.
    world.phone.go("about:blank");
    world.phone.go(&world.page("/reveal#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    world.phone.click("reveal");
    world.phone.expect_alert("Ce code n’existe pas");
    world.phone.screen("unknown-code");
    world.close();
}

#[test]
fn without_a_phone_everything_happens_in_one_browser() {
    let world = World::new();
    let phone = &world.phone;
    phone.go(&world.page("/create"));
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
    world.desk.expect_alert("Ce code a déjà été utilisé");
    world.desk.screen("used-code");

    phone.click("go-on");
    let authenticator = Authenticator::scan(&phone.read_qr("totp-qr", "alone-second-factor"));
    assert!(!phone.scrolls_sideways());
    phone.fill("confirm-password", &password);
    let code = world.code(&authenticator);
    phone.fill("code", &format!("{} {}", &code[..3], &code[3..]));
    phone.submit("confirm-form");
    phone.shown("step-done");
    phone.screen("alone-done");
    world.desk.go(&world.page("/nothing-here"));
    world.desk.screen("not-found");
    world.close();
}

#[test]
fn when_somebody_else_used_the_code_the_desk_says_so_and_does_not_go_on() {
    let world = World::new();
    let desk = &world.desk;
    desk.go(&world.page("/create"));
    desk.fill("username", USERNAME);
    desk.submit("name-form");
    let link = desk.read_qr("reveal-qr", "intercepted-code");
    // The desk asks every two seconds whether the password was revealed; here its owner is faster.
    desk.hold_questions();
    world.phone.go(&link);
    world.phone.click("reveal");
    world.phone.shown("password");
    desk.click("reveal-here");
    desk.expect_alert("Ce code a déjà été utilisé");
    desk.ask_again_for_a_while();
    desk.expect_alert("Ce code a déjà été utilisé");
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
    world.close();
}
