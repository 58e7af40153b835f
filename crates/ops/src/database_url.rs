//! `DATABASE_URL`: where the owner's database is.
//!
//! Owns nothing but the reading of it: what it may be is in `scripts/database-url.rules`, for the scripts, too.

use std::str::FromStr;

use anyhow::{Context, Result, bail};
use regex::Regex;
use sqlx::postgres::PgConnectOptions;

const RULES: &str = include_str!("../../../scripts/database-url.rules");

/// How to connect as `DATABASE_URL` says.
///
/// # Errors
/// Why it is refused and how to write it, without a word of it: it holds a password.
pub fn read() -> Result<PgConnectOptions> {
    let url = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()).context(
        "DATABASE_URL is not set: the owner's connection, postgres://user:password@host:port/database",
    )?;
    if let Some(reason) = refusal(&url)? {
        bail!("DATABASE_URL: {reason}");
    }
    // The driver's error may quote it.
    PgConnectOptions::from_str(&url).ok().context("DATABASE_URL cannot be read")
}

/// What the first of the rules that refuses it says.
fn refusal(url: &str) -> Result<Option<&'static str>> {
    for line in RULES.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.splitn(3, '\t');
        let (Some(kind), Some(pattern), Some(reason)) = (parts.next(), parts.next(), parts.next()) else {
            bail!("a rule has not three parts: {line}");
        };
        if Regex::new(pattern)?.is_match(url) == (kind == "is") {
            return Ok(Some(reason));
        }
    }
    Ok(None)
}
