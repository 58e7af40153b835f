//! One person with one browser, and the steps that they take.

use std::ops::Deref;

use harness::{Account, Authenticator};

use crate::browser::{Browser, FRENCH, Profile, Size};
use crate::messages::in_french;
use crate::site::Site;

pub(crate) struct Person<'site> {
    pub(crate) site: &'site Site,
    pub(crate) browser: Browser,
}

impl Deref for Person<'_> {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl<'site> Person<'site> {
    /// Somebody who speaks French.
    pub(crate) fn at(site: &'site Site, name: &'static str, size: Size) -> Self {
        Self::with(site, name, size, FRENCH)
    }

    pub(crate) fn with(site: &'site Site, name: &'static str, size: Size, profile: Profile) -> Self {
        Self { site, browser: site.open(name, size, profile) }
    }

    /// Opens a page of the app.
    pub(crate) fn visit(&self, path: &str) {
        self.browser.go(&self.site.page(path));
    }

    /// Begins to create an account, up to the code. Returns its name.
    pub(crate) fn begin(&self) -> String {
        let username = self.site.username("camille.martin");
        self.visit("/create");
        self.fill("username", &username);
        self.submit("name-form");
        self.shown("reveal-qr");
        username
    }

    /// Logs in with credentials that have expired. Returns whose they are.
    pub(crate) fn begin_renewal(&self) -> String {
        let account = self.site.account("expired");
        self.site.database.time_travel().expire_credentials(&account.username);
        self.log_in_to(&account);
        self.shown("renewal-intro");
        account.username
    }

    /// The token of the code on the screen, as a camera reads it.
    pub(crate) fn scanned_token(&self) -> String {
        let link = self.read_qr("reveal-qr", "code");
        link.split_once("/reveal#").expect("the code is a link with a token").1.to_owned()
    }

    /// Has the password shown beside the code, and returns it.
    pub(crate) fn show_here(&self) -> String {
        self.click("reveal-here");
        self.text("password")
    }

    /// Goes on from the password to the second factor, and scans it.
    pub(crate) fn go_on_to_second_factor(&self) -> Authenticator {
        self.click("go-on");
        Authenticator::scan(&self.read_qr("totp-qr", "second-factor"))
    }

    pub(crate) fn confirm(&self, password: &str, code: &str) {
        self.fill("confirm-password", password);
        self.fill("code", code);
        self.submit("confirm-form");
    }

    /// The code that an authenticator shows now.
    pub(crate) fn code(&self, authenticator: &Authenticator) -> String {
        authenticator.code_at(self.site.database.now())
    }

    pub(crate) fn log_in(&self, username: &str, password: &str, code: &str) {
        self.visit("/login");
        self.fill("username", username);
        self.fill("password", password);
        self.fill("code", code);
        self.submit("login-form");
    }

    /// Logs in with all that is right.
    pub(crate) fn log_in_to(&self, account: &Account) {
        self.log_in(&account.username, &account.password, &self.site.fresh_code(account));
    }

    /// Deletes the account that is logged in, on the step that asks for both once more.
    pub(crate) fn delete(&self, password: &str, code: &str) {
        self.fill("password", password);
        self.fill("code", code);
        self.submit("deletion-form");
    }

    /// Waits for a French sentence of what happens.
    pub(crate) fn expect_status(&self, key: &str) {
        self.browser.expect_status(in_french(key));
    }

    /// Waits for the French sentence of a problem.
    pub(crate) fn expect_problem(&self, problem: &str) {
        self.expect_alert(in_french(&format!("problem.{problem}")));
    }
}
