//! The pages as people meet them in Chromium: every state that they can show (`states`), and what people do with them from
//! one end to the other (`journeys`). QR codes are read from what is on the screen by a decoder that we did not write, codes
//! come from an authenticator that we did not write.
//!
//! The pictures are in `target/screenshots/`, to be looked at.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod browser;
mod devtools;
mod driver;
mod inspection;
mod journeys;
mod keyboard;
mod messages;
mod person;
mod screen;
mod site;
mod states;
