//! What a page needs of a network, of scripts, and of the service behind it.

use serde_json::json;

use crate::browser::{Browser, DESK, PHONE, WITHOUT_SCRIPTS};
use crate::person::Person;
use crate::site::Site;

/// Every page, by an address that leads to it.
const PAGES: [&str; 7] = ["/", "/create", "/reveal", "/login", "/account", "/unavailable", "/nothing-here"];

const REQUESTS: u64 = 6;
const BYTES: u64 = 60_000;

#[test]
fn a_page_costs_at_most_6_requests_and_60_kilobytes_with_an_empty_cache() {
    let site = Site::start();
    let person = Person::at(&site, "first", PHONE);
    for page in PAGES {
        person.start_afresh(&site.origin());
        person.visit(page);
        wait_until_quiet(&person);
        let cost = person.script(COST, &[]);
        let (requests, bytes) = (cost["requests"].as_u64().unwrap(), cost["bytes"].as_u64().unwrap());
        assert!(requests >= 3, "{page}: the page, its style, its script: {cost}");
        assert!(requests <= REQUESTS && bytes <= BYTES, "{page}: {cost}");
    }
}

#[test]
fn without_scripts_every_page_is_in_french_and_says_when_it_needs_them() {
    let site = Site::start();
    let person = Person::with(&site, "no-script", DESK, WITHOUT_SCRIPTS);
    for page in PAGES {
        person.visit(page);
        let seen = person.script(READ, &[]);
        let [heading] = &seen["headings"].as_array().unwrap()[..] else { panic!("{page}: {seen}") };
        assert_eq!(seen["title"], format!("{} · COFRAP", heading.as_str().unwrap()), "{page}");
        let needs_scripts = ["/create", "/reveal", "/login", "/account"].contains(&page);
        assert_eq!(seen["notice"].as_str().unwrap().contains("JavaScript"), needs_scripts, "{page}: {seen}");
        assert_eq!(seen["dead"], json!([]), "{page} shows a button that can do nothing");
    }
}

#[test]
fn while_the_service_is_away_every_page_still_shows_and_no_script_fails() {
    let site = Site::start();
    let person = Person::at(&site, "away-pages", PHONE);
    // With a creation under way, so that its page asks the service too.
    person.begin();
    site.database.refuse_connections();
    for page in PAGES {
        person.visit(page);
        wait_until_quiet(&person);
        let seen = person.script(READ, &[]);
        assert_eq!(seen["headings"].as_array().unwrap().len(), 1, "{page}: {seen}");
        assert_eq!(person.complaints(), Vec::<String>::new(), "{page}");
    }
}

/// Waits until the page has its sentences and the answer to what it asked first.
fn wait_until_quiet(browser: &Browser) {
    browser.expect_that(
        "document.readyState === 'complete' && !document.getElementById('language').hidden \
         && document.querySelector('[aria-busy=true]') === null",
    );
}

const COST: &str = "
    const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter(({ name }) => name.startsWith('http'));
    const sizes = entries.map(({ name, transferSize }) => [name, transferSize]);
    return { requests: entries.length, bytes: sizes.reduce((sum, [, size]) => sum + size, 0), sizes };";

const READ: &str = "
    const all = (selector) => [...document.querySelectorAll(selector)];
    const shown = (selector) => all(selector).filter((element) => element.checkVisibility());
    const text = (element) => element.textContent.trim();
    return {
        title: document.title,
        headings: shown('h1').map(text),
        notice: shown('noscript').map(text).join(),
        dead: shown('#language').map(text),
    };";
