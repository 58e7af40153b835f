//! What chromedriver can do beyond WebDriver: the commands of Chromium's developer tools, and the console.

use data_encoding::BASE64;
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::browser::{Browser, Size};

/// A theme that somebody's system asks pages for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Browser {
    /// Gives the tab this size, and keeps it. Narrow ones are a phone's, with its finer pixels.
    pub(crate) fn resize(&self, (width, height): Size) {
        let is_phone = width < 600;
        let finer = if is_phone { 2 } else { 1 };
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": finer, "mobile": is_phone });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    pub(crate) fn prefer(&self, theme: Theme) {
        let feature = json!({ "name": "prefers-color-scheme", "value": theme.name() });
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
    }

    /// Takes the network away from the tab, or gives it back.
    pub(crate) fn set_network(&self, connected: bool) {
        self.limit_network(!connected, 0);
    }

    /// Makes every request take this many milliseconds longer.
    pub(crate) fn slow_network(&self, milliseconds: u32) {
        self.limit_network(false, milliseconds);
    }

    fn limit_network(&self, offline: bool, latency: u32) {
        self.devtools("Network.enable", &json!({}));
        let conditions = json!({
            "offline": offline, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.devtools("Network.emulateNetworkConditions", &conditions);
    }

    /// Sends no request to addresses of this pattern until [`Browser::release_requests`].
    pub(crate) fn hold_requests(&self, pattern: &str) {
        self.devtools("Fetch.enable", &json!({ "patterns": [{ "urlPattern": pattern }] }));
    }

    pub(crate) fn release_requests(&self) {
        self.devtools("Fetch.disable", &json!({}));
    }

    /// Forgets what the browser keeps for an origin: storage, cookies, and its cache as a whole.
    pub(crate) fn forget(&self, origin: &str) {
        self.devtools("Storage.clearDataForOrigin", &json!({ "origin": origin, "storageTypes": "all" }));
        self.devtools("Network.clearBrowserCache", &json!({}));
    }

    /// Every address in the tab's history.
    pub(crate) fn history(&self) -> Vec<String> {
        let history = self.devtools("Page.getNavigationHistory", &json!({}));
        let entries = history["entries"].as_array().expect("a history has entries");
        entries.iter().map(|entry| entry["url"].as_str().unwrap().to_owned()).collect()
    }

    /// A picture of the whole page, also of what the window does not show.
    pub(crate) fn whole_page(&self) -> Vec<u8> {
        let metrics = self.devtools("Page.getLayoutMetrics", &json!({}));
        let size = &metrics["cssContentSize"];
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let parameters = json!({ "captureBeyondViewport": true, "clip": clip, "optimizeForSpeed": true });
        let picture = self.devtools("Page.captureScreenshot", &parameters);
        BASE64.decode(picture["data"].as_str().unwrap().as_bytes()).unwrap()
    }

    /// What the console has said since the last call about the pages' own scripts. Of the network it says every answer
    /// that is no success, which is no fault of a page.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.issue("se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().expect("a log has entries");
        let complaint = |entry: &&Value| {
            entry["source"] != "network" && ["SEVERE", "WARNING"].iter().any(|level| entry["level"] == *level)
        };
        entries.iter().filter(complaint).map(|entry| entry["message"].to_string()).collect()
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.issue("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn issue(&self, path: &'static str, body: &Value) -> Value {
        let command = Extension { path, body: body.to_string() };
        self.wait(self.client.issue_cmd(command)).unwrap_or_else(|error| panic!("{body}: {error}"))
    }
}

/// A command below the session's address that fantoccini does not know.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: String,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.clone()))
    }
}
