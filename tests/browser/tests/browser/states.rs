//! Every state that a page can show, each a name and the way there; and what must hold in all of them.

mod account;
mod creation;
mod login;
mod pages;
mod reveal;

use std::collections::BTreeSet;
use std::fs;

use harness::workspace;

use crate::browser::PHONE;
use crate::inspection;
use crate::person::Person;
use crate::site::Site;

/// Something that a person may see.
pub(crate) struct State {
    pub(crate) name: &'static str,
    /// The file of the page, and after a `#` its step, if it has steps.
    pub(crate) shows: &'static str,
    reach: fn(&Person<'_>),
}

const STATES: &[State] = &[
    State { name: "home", shows: "index.html", reach: pages::home },
    State { name: "create-name", shows: "create.html#step-name", reach: creation::name },
    State { name: "create-name-invalid", shows: "create.html#step-name", reach: creation::name_invalid },
    State { name: "create-name-taken", shows: "create.html#step-name", reach: creation::name_taken },
    State { name: "create-name-offline", shows: "create.html#step-name", reach: creation::name_offline },
    State { name: "create-resume", shows: "create.html#step-resume", reach: creation::resume_unavailable },
    State { name: "create-code", shows: "create.html#step-reveal", reach: creation::code },
    State { name: "create-code-reloaded", shows: "create.html#step-reveal", reach: creation::code_reloaded },
    State { name: "create-code-used", shows: "create.html#step-reveal", reach: creation::code_used },
    State { name: "create-code-expired", shows: "create.html#step-reveal", reach: creation::code_expired },
    State { name: "create-password", shows: "create.html#step-password", reach: creation::password },
    State {
        name: "create-password-unfolded",
        shows: "create.html#step-password",
        reach: creation::password_unfolded,
    },
    State { name: "create-second-factor", shows: "create.html#step-totp", reach: creation::second_factor },
    State {
        name: "create-second-factor-unfolded",
        shows: "create.html#step-totp",
        reach: creation::second_factor_unfolded,
    },
    State {
        name: "create-second-factor-resumed",
        shows: "create.html#step-totp",
        reach: creation::second_factor_resumed,
    },
    State {
        name: "create-second-factor-refused",
        shows: "create.html#step-totp",
        reach: creation::second_factor_refused,
    },
    State {
        name: "create-second-factor-wait",
        shows: "create.html#step-totp",
        reach: creation::second_factor_wait,
    },
    State { name: "create-done", shows: "create.html#step-done", reach: creation::done },
    State { name: "create-over", shows: "create.html#step-name", reach: creation::over },
    State { name: "reveal-ready", shows: "reveal.html#step-reveal", reach: reveal::ready },
    State { name: "reveal-password", shows: "reveal.html#step-password", reach: reveal::password },
    State {
        name: "reveal-password-unfolded",
        shows: "reveal.html#step-password",
        reach: reveal::password_unfolded,
    },
    State { name: "reveal-used", shows: "reveal.html#step-gone", reach: reveal::used },
    State { name: "reveal-expired", shows: "reveal.html#step-gone", reach: reveal::expired },
    State { name: "reveal-unknown", shows: "reveal.html#step-gone", reach: reveal::unknown },
    State { name: "reveal-empty", shows: "reveal.html#step-gone", reach: reveal::empty },
    State { name: "login", shows: "login.html", reach: login::form },
    State { name: "login-refused", shows: "login.html", reach: login::refused },
    State { name: "login-wait", shows: "login.html", reach: login::wait },
    State { name: "login-suspended", shows: "login.html", reach: login::suspended },
    State { name: "login-unavailable", shows: "login.html", reach: login::unavailable },
    State { name: "renew-name", shows: "create.html#step-name", reach: login::expired },
    State { name: "renew-code", shows: "create.html#step-reveal", reach: login::renewing },
    State { name: "renew-over", shows: "create.html#step-renewal-over", reach: login::renewal_over },
    State { name: "account", shows: "account.html#step-session", reach: account::signed_in },
    State { name: "account-failures", shows: "account.html#step-session", reach: account::failures },
    State { name: "account-expiring", shows: "account.html#step-session", reach: account::expiring },
    State { name: "account-sessions", shows: "account.html#step-sessions", reach: account::sessions },
    State { name: "account-downloaded", shows: "account.html#step-session", reach: account::downloaded },
    State { name: "account-deletion", shows: "account.html#step-deletion", reach: account::deletion },
    State {
        name: "account-deletion-refused",
        shows: "account.html#step-deletion",
        reach: account::deletion_refused,
    },
    State { name: "account-deleted", shows: "account.html#step-deleted", reach: account::deleted },
    State { name: "account-signed-out", shows: "account.html#step-signed-out", reach: account::signed_out },
    State { name: "account-unavailable", shows: "account.html#step-loading", reach: account::unavailable },
    State { name: "not-found", shows: "404.html", reach: pages::not_found },
    State { name: "unavailable", shows: "unavailable.html", reach: pages::unavailable },
];

// Two halves, so that two processors have something to do.

#[test]
fn every_other_state_can_be_seen_read_and_used_by_everybody() {
    inspect_all(STATES.iter().step_by(2));
}

#[test]
fn every_state_between_can_be_seen_read_and_used_by_everybody() {
    inspect_all(STATES.iter().skip(1).step_by(2));
}

fn inspect_all<'a>(states: impl Iterator<Item = &'a State>) {
    let site = Site::start();
    let person = Person::at(&site, "states", PHONE);
    let mut faults = Vec::new();
    for state in states {
        person.start_afresh(&site.origin());
        (state.reach)(&person);
        faults.extend(inspection::faults(&person, state));
        person.site.database.accept_connections();
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_page_and_every_step_is_shown_by_a_state() {
    let shown: BTreeSet<&str> = STATES.iter().map(|state| state.shows).collect();
    let mut there = BTreeSet::new();
    for entry in fs::read_dir(workspace::root().join("static")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if file.ends_with(".html") {
            there.extend(screens(&file));
        }
    }
    assert_eq!(shown, there.iter().map(String::as_str).collect());
}

/// The steps of a page as `file#step`, or the file alone when it has none.
fn screens(file: &str) -> Vec<String> {
    let page = fs::read_to_string(workspace::root().join("static").join(file)).unwrap();
    let sections = page.split('<').filter(|tag| tag.starts_with("section ") && tag.contains(" data-step"));
    let id =
        |tag: &str| tag.split_once("id=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap().to_owned();
    let steps: Vec<String> = sections.map(|tag| format!("{file}#{}", id(tag))).collect();
    if steps.is_empty() { vec![file.to_owned()] } else { steps }
}
