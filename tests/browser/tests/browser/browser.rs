//! A browser with a profile of its own, driven as a person would: looked at, clicked and typed into.

use std::path::Path;
use std::time::Duration;

use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use harness::deadline;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::driver::Driver;
use crate::screen;

/// How long a page may take to get where it should be; the desk asks the server every two seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A window's size in pixels.
pub(crate) type Size = (u32, u32);
pub(crate) const DESK: Size = (1280, 900);
pub(crate) const PHONE: Size = (360, 740);

/// What somebody has set their browser to.
#[derive(Clone, Copy)]
pub(crate) struct Profile {
    /// As a browser tells them, the preferred one first.
    languages: &'static str,
    scripts: bool,
}

pub(crate) const FRENCH: Profile = Profile { languages: "fr-FR,fr", scripts: true };
pub(crate) const ENGLISH: Profile = Profile { languages: "en-GB,en", scripts: true };
pub(crate) const WITHOUT_SCRIPTS: Profile = Profile { languages: "fr-FR,fr", scripts: false };

pub(crate) struct Browser {
    // The tests wait for one thing at a time, and the rest of the harness blocks: so does this, on a runtime of its own.
    runtime: Runtime,
    pub(crate) client: Client,
    name: &'static str,
    size: Size,
}

impl Browser {
    /// Opens a browser with nothing kept from before. `name` goes into the names of its pictures.
    pub(crate) fn open(driver: &Driver, name: &'static str, size: Size, profile: Profile) -> Self {
        let capabilities = capabilities(size, profile, &driver.downloads());
        let runtime = Runtime::new().unwrap();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = runtime
            .block_on(builder.capabilities(capabilities.as_object().unwrap().clone()).connect(&driver.url))
            .expect("chromedriver starts Chromium");
        let browser = Self { runtime, client, name, size };
        browser.resize(size);
        browser
    }

    /// Runs a command of the driver to its end.
    pub(crate) fn wait<T>(&self, command: impl Future<Output = T>) -> T {
        self.runtime.block_on(command)
    }

    /// Opens a tab with nothing of before, and closes the one of before. What the whole browser keeps for `origin`
    /// goes too.
    pub(crate) fn start_afresh(&self, origin: &str) {
        let tab = self.wait(self.client.new_window(true)).unwrap().handle;
        self.wait(self.client.close_window()).unwrap();
        self.wait(self.client.switch_to_window(tab)).unwrap();
        self.forget(origin);
        self.resize(self.size);
    }

    pub(crate) fn go(&self, url: &str) {
        self.wait(self.client.goto(url)).unwrap();
    }

    pub(crate) fn reload(&self) {
        self.wait(self.client.refresh()).unwrap();
    }

    pub(crate) fn back(&self) {
        self.wait(self.client.back()).unwrap();
    }

    /// The address that the browser shows.
    pub(crate) fn address(&self) -> String {
        self.wait(self.client.current_url()).unwrap().into()
    }

    /// Waits until the element with this id is shown.
    pub(crate) fn shown(&self, id: &str) -> Element {
        self.expect(&format!("//*[@id='{id}' and {SHOWN}]"), &format!("#{id} is not shown"))
    }

    /// Waits for an alert that holds this text.
    pub(crate) fn expect_alert(&self, part: &str) {
        let alert = format!("//*[@role='alert' and {SHOWN} and contains(., \"{part}\")]");
        self.expect(&alert, &format!("no alert says {part:?}"));
    }

    /// Waits for a word about what happens that holds this text.
    pub(crate) fn expect_status(&self, part: &str) {
        let status = format!("//*[@role='status' and {SHOWN} and contains(., \"{part}\")]");
        self.expect(&status, &format!("no status says {part:?}"));
    }

    /// Waits for a heading with this text.
    pub(crate) fn expect_heading(&self, text: &str) {
        let heading = format!("//h1[{SHOWN} and normalize-space(.)=\"{text}\"]");
        self.expect(&heading, &format!("no heading says {text:?}"));
    }

    fn expect(&self, path: &str, otherwise: &str) -> Element {
        let wait = self.client.wait().at_most(PATIENCE);
        self.wait(wait.for_element(Locator::XPath(path)))
            .unwrap_or_else(|_| panic!("{}: {otherwise}; {}", self.name, self.said()))
    }

    /// Waits until an expression of the page is true.
    pub(crate) fn expect_that(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        let probe = || (self.script(&script, &[]) == true).then_some(());
        deadline::poll(PATIENCE, probe)
            .unwrap_or_else(|| panic!("{}: not {expression}; {}", self.name, self.said()));
    }

    /// Clicks, once the page's scripts listen: until then its buttons are disabled.
    pub(crate) fn click(&self, id: &str) {
        self.click_enabled(&format!("//*[@id='{id}' and {ENABLED}]"), id);
    }

    fn click_enabled(&self, path: &str, what: &str) {
        let element = self.expect(path, &format!("#{what} is not shown, or disabled"));
        self.wait(element.click()).unwrap();
    }

    pub(crate) fn fill(&self, id: &str, text: &str) {
        let field = self.shown(id);
        self.wait(field.clear()).unwrap();
        self.wait(field.send_keys(text)).unwrap();
    }

    /// Sends a form by its button.
    pub(crate) fn submit(&self, form: &str) {
        self.click_enabled(&format!("//form[@id='{form}']//button[@type='submit' and {ENABLED}]"), form);
    }

    /// Waits until a form can be sent: people look at a page before they press Enter.
    pub(crate) fn expect_sendable(&self, form: &str) {
        self.expect_that(&format!("!document.querySelector('#{form} button[type=submit]').disabled"));
    }

    /// Clicks as people do who think that everything is an icon.
    pub(crate) fn double_click(&self, selector: &str) {
        self.expect_that(&format!("!document.querySelector('{selector}').disabled"));
        let element = self.wait(self.client.find(Locator::Css(selector))).expect(selector);
        let (down, up) = (
            PointerAction::Down { button: MOUSE_BUTTON_LEFT },
            PointerAction::Up { button: MOUSE_BUTTON_LEFT },
        );
        let move_there = PointerAction::MoveToElement { element, duration: None, x: 0.0, y: 0.0 };
        let mouse = MouseActions::new("mouse".to_owned()).then(move_there);
        let twice = [down.clone(), up.clone(), down, up].into_iter().fold(mouse, InputSource::then);
        self.wait(self.client.perform_actions(twice)).expect(selector);
    }

    /// Opens the first that can be unfolded in a section, or is the section.
    pub(crate) fn unfold(&self, section: &str) {
        self.shown(section);
        self.click_first(&format!("#{section} summary"));
    }

    fn click_first(&self, selector: &str) {
        let element = self.wait(self.client.find(Locator::Css(selector))).expect(selector);
        self.wait(element.click()).expect(selector);
    }

    pub(crate) fn text(&self, id: &str) -> String {
        let element = self.shown(id);
        self.wait(element.text()).unwrap()
    }

    /// What was typed into a field.
    pub(crate) fn typed(&self, id: &str) -> String {
        let field = self.shown(id);
        self.wait(field.prop("value")).unwrap().unwrap_or_default()
    }

    /// All that the page says, for whoever reads why a test failed.
    fn said(&self) -> String {
        format!("{} says: {}", self.address(), self.script("return document.body.innerText", &[]))
    }

    /// What the page keeps beyond itself: the keys of both storages, and the address.
    pub(crate) fn kept(&self) -> (Value, Value, String) {
        (
            self.script("return Object.keys(sessionStorage)", &[]),
            self.script("return Object.keys(localStorage)", &[]),
            self.address(),
        )
    }

    /// A picture of the window, kept under this name.
    pub(crate) fn screen(&self, name: &str) {
        let png = self.wait(self.client.screenshot()).unwrap();
        screen::keep(&png, &format!("journey/{}-{name}", self.name));
    }

    /// The text of a QR code, read from a picture of it. The whole window with it in sight is kept too.
    pub(crate) fn read_qr(&self, image: &str, name: &str) -> String {
        let code = self.shown(image);
        let script = "document.getElementById(arguments[0]).scrollIntoView({ block: 'center' })";
        self.script(script, &[json!(image)]);
        self.screen(name);
        let png = self.wait(code.screenshot()).unwrap();
        screen::read_qr(&png).unwrap_or_else(|error| panic!("{}, #{image}: {error}", self.name))
    }

    /// Whether the page is wider than its window.
    pub(crate) fn scrolls_sideways(&self) -> bool {
        let script = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        self.script(script, &[]) == true
    }

    /// Leaves what the page asks the API from now on unanswered; what it tells the API still gets there.
    pub(crate) fn hold_questions(&self) {
        let script = "window.asked = window.fetch;
             window.fetch = (path, options) => {
                 const isQuestion = path.startsWith('/api/') && options.method === 'GET';
                 return isQuestion ? new Promise(() => {}) : window.asked(path, options);
             };";
        self.script(script, &[]);
    }

    /// Ends [`Browser::hold_questions`], and gives the page the time of two questions.
    pub(crate) fn ask_again_for_a_while(&self) {
        let script = "window.fetch = window.asked; setTimeout(arguments[arguments.length - 1], 4500)";
        self.script_until_called(script, &[]);
    }

    /// Runs a script in the page, and returns what it returns.
    pub(crate) fn script(&self, script: &str, arguments: &[Value]) -> Value {
        self.wait(self.client.execute(script, arguments.to_vec()))
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Runs a script in the page that calls its last argument when it is done, and returns what it gives to that.
    pub(crate) fn script_until_called(&self, script: &str, arguments: &[Value]) -> Value {
        self.wait(self.client.execute_async(script, arguments.to_vec()))
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have crashed, which the test has noticed.
        self.runtime.block_on(self.client.clone().close()).ok();
    }
}

/// Whether an element of an XPath is in no part of the page that is hidden.
const SHOWN: &str = "not(ancestor-or-self::*[@hidden])";

/// Whether it also does something when it is clicked.
const ENABLED: &str = "not(@disabled) and not(ancestor-or-self::*[@hidden])";

fn capabilities((width, height): Size, profile: Profile, downloads: &Path) -> Value {
    let arguments = json!([
        "--headless=new",
        // Chromium does not start its sandbox for root, as which containers and CI run it.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // It ends with its driver, however that ends.
        "--remote-debugging-pipe",
        format!("--window-size={width},{height}"),
    ]);
    // 1 allows, 2 blocks.
    let scripts = if profile.scripts { 1 } else { 2 };
    let preferences = json!({
        "download.default_directory": downloads,
        "intl.accept_languages": profile.languages,
        "profile.default_content_setting_values.javascript": scripts,
    });
    json!({
        "goog:chromeOptions": { "args": arguments, "prefs": preferences },
        "goog:loggingPrefs": { "browser": "ALL" },
        // A page that shows a password asks before it is left.
        "unhandledPromptBehavior": "accept",
    })
}
