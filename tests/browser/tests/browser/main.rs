//! The journey as a person sees it: a desk and a phone in Chromium, QR codes read from what is on the screen by a decoder
//! that we did not write, codes from an authenticator that we did not write.
//!
//! Every screen is kept as a picture in `target/screenshots/`, to be looked at.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod browser;
mod driver;
mod journey;
mod screen;
