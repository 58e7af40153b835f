//! A browser with a profile of its own, driven as a person would: looked at, clicked and typed into.

use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::driver::Driver;
use crate::screen::Screen;

/// How long a page may take to get where it should be; the desk asks the server every two seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A window's size in pixels.
pub(crate) const DESK: (u32, u32) = (1280, 900);
pub(crate) const PHONE: (u32, u32) = (360, 740);

pub(crate) struct Browser {
    // The tests wait for one thing at a time, and the rest of the harness blocks: so does this, on a runtime of its own.
    runtime: Runtime,
    client: Client,
    name: &'static str,
}

impl Browser {
    /// Opens a browser with an empty profile. `name` goes into the names of its pictures.
    pub(crate) fn open(driver: &Driver, name: &'static str, (width, height): (u32, u32)) -> Self {
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
            format!("--window-size={width},{height}"),
        ]);
        let emulation = json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": 2.0 } });
        let options = json!({ "args": arguments, "mobileEmulation": emulation });
        let capabilities = [("goog:chromeOptions".to_owned(), options)];
        let runtime = Runtime::new().unwrap();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = runtime
            .block_on(builder.capabilities(capabilities.into_iter().collect()).connect(&driver.url))
            .expect("chromedriver starts Chromium");
        Self { runtime, client, name }
    }

    pub(crate) fn go(&self, url: &str) {
        self.runtime.block_on(self.client.goto(url)).unwrap();
    }

    pub(crate) fn reload(&self) {
        self.runtime.block_on(self.client.refresh()).unwrap();
    }

    /// Waits until the element with this id is shown.
    pub(crate) fn shown(&self, id: &str) -> Element {
        let selector = format!("//*[@id='{id}' and not(ancestor-or-self::*[@hidden])]");
        self.wait_for(&selector)
            .unwrap_or_else(|| panic!("{}: #{id} is not shown; {}", self.name, self.said()))
    }

    /// Waits for an alert that holds this text.
    pub(crate) fn expect_alert(&self, part: &str) {
        let selector = format!("//*[@role='alert' and contains(., \"{part}\")]");
        self.wait_for(&selector)
            .unwrap_or_else(|| panic!("{}: no alert says {part:?}; {}", self.name, self.said()));
    }

    fn wait_for(&self, selector: &str) -> Option<Element> {
        let wait = self.client.wait().at_most(PATIENCE);
        self.runtime.block_on(wait.for_element(Locator::XPath(selector))).ok()
    }

    pub(crate) fn click(&self, id: &str) {
        let element = self.shown(id);
        self.runtime.block_on(element.click()).unwrap();
    }

    pub(crate) fn fill(&self, id: &str, text: &str) {
        let field = self.shown(id);
        self.runtime.block_on(field.clear()).unwrap();
        self.runtime.block_on(field.send_keys(text)).unwrap();
    }

    /// Sends a form by its button.
    pub(crate) fn submit(&self, form: &str) {
        self.click_first(&format!("#{form} button[type=submit]"));
    }

    /// Opens what can be unfolded in a section.
    pub(crate) fn unfold(&self, section: &str) {
        self.click_first(&format!("#{section} summary"));
    }

    fn click_first(&self, selector: &str) {
        let element = self.runtime.block_on(self.client.find(Locator::Css(selector))).expect(selector);
        self.runtime.block_on(element.click()).expect(selector);
    }

    pub(crate) fn text(&self, id: &str) -> String {
        let element = self.shown(id);
        self.runtime.block_on(element.text()).unwrap()
    }

    /// All that the page says, for whoever reads why a test failed.
    fn said(&self) -> String {
        format!("the page says: {}", self.script("return document.body.innerText"))
    }

    /// What the page keeps beyond itself: the keys of both storages, and the address.
    pub(crate) fn kept(&self) -> (Value, Value, String) {
        (
            self.script("return Object.keys(sessionStorage)"),
            self.script("return Object.keys(localStorage)"),
            self.runtime.block_on(self.client.current_url()).unwrap().into(),
        )
    }

    /// A picture of the window, kept under this name.
    pub(crate) fn screen(&self, name: &str) -> Screen {
        let png = self.runtime.block_on(self.client.screenshot()).unwrap();
        Screen::keep(&png, &format!("{}-{name}", self.name))
    }

    /// The text of a QR code, read from a picture of the window that it is scrolled into.
    pub(crate) fn read_qr(&self, image: &str, name: &str) -> String {
        self.shown(image);
        self.script(&format!("document.getElementById('{image}').scrollIntoView({{ block: 'center' }})"));
        self.screen(name).read_qr()
    }

    /// Whether the page is wider than its window.
    pub(crate) fn scrolls_sideways(&self) -> bool {
        let script = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        self.script(script) == Value::Bool(true)
    }

    /// Leaves what the page asks the server from now on unanswered; what it tells the server still gets there.
    pub(crate) fn hold_questions(&self) {
        self.script(
            "window.asked = window.fetch;
             window.fetch = (path, options) =>
                 options.method === 'GET' ? new Promise(() => {}) : window.asked(path, options);",
        );
    }

    /// Ends [`Browser::hold_questions`], and gives the page the time of two questions.
    pub(crate) fn ask_again_for_a_while(&self) {
        let script = "window.fetch = window.asked; setTimeout(arguments[arguments.length - 1], 4500)";
        self.runtime.block_on(self.client.execute_async(script, Vec::new())).unwrap();
    }

    pub(crate) fn close(self) {
        self.runtime.block_on(self.client.close()).unwrap();
    }

    fn script(&self, script: &str) -> Value {
        self.runtime.block_on(self.client.execute(script, Vec::new())).unwrap()
    }
}
