//! A running app, and the WebDriver that opens browsers for it.

use std::ops::Deref;
use std::path::PathBuf;

use harness::shared::Running;
use harness::{Config, TestDatabase};

use crate::browser::{Browser, Profile, Size};
use crate::driver::Driver;

/// An app of one's own.
pub(crate) struct Site {
    running: Running,
    driver: Driver,
}

impl Site {
    pub(crate) fn start() -> Self {
        let database = TestDatabase::fresh();
        let config = Config::over(&database).with_links_to_itself();
        Self { running: Running::with(database, &config), driver: Driver::start() }
    }

    pub(crate) fn open(&self, name: &'static str, size: Size, profile: Profile) -> Browser {
        Browser::open(&self.driver, name, size, profile)
    }

    /// Where the browsers put what people download.
    pub(crate) fn downloads(&self) -> PathBuf {
        self.driver.downloads()
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.app.address())
    }

    pub(crate) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }
}

impl Deref for Site {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}
