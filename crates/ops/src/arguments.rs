//! The options of a command: names that a number or a version follows.

use semver::Version;

/// Ten years: a number that is larger was not meant.
const LARGEST_MONTHS: u32 = 120;
/// More rows at a time would keep others waiting.
const LARGEST_BATCH: u32 = 10_000;
/// Spin's pool, which has no setting.
const CONNECTIONS_OF_A_POD: usize = 64;
/// More than any server of ours takes.
const LARGEST_CONNECTIONS: u32 = 10_000;

/// How long what has ended is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purge {
    /// Calendar months for events that concern an account.
    pub events_months: u32,
    /// Calendar months for accounts whose credentials have ended.
    pub expired_months: u32,
    /// Rows of each kind at a time.
    pub batch: u32,
}

/// What becomes of values that an old key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reseal {
    /// Only look.
    pub check: bool,
    /// Credentials at a time.
    pub batch: u32,
}

/// How much `check` tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Connections at once.
    pub connections: usize,
}

/// What `migrate` does beside migrating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrate {
    /// Releases before this one are over.
    pub retire_before: Option<Version>,
}

impl Migrate {
    /// `None`: wrong usage.
    pub fn parse(arguments: &[&str]) -> Option<Self> {
        match arguments {
            [] => Some(Self { retire_before: None }),
            ["--retire-before", version] => Some(Self { retire_before: Some(Version::parse(version).ok()?) }),
            _ => None,
        }
    }
}

impl Purge {
    /// `None`: wrong usage.
    pub fn parse(arguments: &[&str]) -> Option<Self> {
        let mut options = Self {
            events_months: domain::limits::EVENT_KEPT_MONTHS,
            expired_months: domain::limits::EXPIRED_ACCOUNT_KEPT_MONTHS,
            batch: 1_000,
        };
        for option in arguments.chunks(2) {
            match option {
                ["--events-months", number] => options.events_months = within(number, LARGEST_MONTHS)?,
                ["--expired-months", number] => options.expired_months = within(number, LARGEST_MONTHS)?,
                ["--batch", number] => options.batch = within(number, LARGEST_BATCH)?,
                _ => return None,
            }
        }
        Some(options)
    }
}

impl Reseal {
    /// `None`: wrong usage.
    pub fn parse(arguments: &[&str]) -> Option<Self> {
        let (check, rest) = match arguments {
            ["--check", rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        match rest {
            [] => Some(Self { check, batch: 100 }),
            ["--batch", number] => Some(Self { check, batch: within(number, LARGEST_BATCH)? }),
            _ => None,
        }
    }
}

impl Check {
    /// `None`: wrong usage.
    pub fn parse(arguments: &[&str]) -> Option<Self> {
        match arguments {
            [] => Some(Self { connections: CONNECTIONS_OF_A_POD }),
            ["--connections", number] => {
                Some(Self { connections: usize::try_from(within(number, LARGEST_CONNECTIONS)?).ok()? })
            }
            _ => None,
        }
    }
}

/// A name, and no option. `None`: wrong usage.
pub fn username(argument: &str) -> Option<&str> {
    (!argument.starts_with('-')).then_some(argument)
}

/// A number from 1 on: 0 months would remove everything.
fn within(number: &str, largest: u32) -> Option<u32> {
    number.parse().ok().filter(|number| (1..=largest).contains(number))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]
mod tests {
    use super::*;

    #[test]
    fn options_have_defaults_and_come_in_any_order() {
        let defaults = Purge { events_months: 12, expired_months: 12, batch: 1_000 };
        assert_eq!(Purge::parse(&[]), Some(defaults));
        let all = ["--batch", "7", "--expired-months", "24", "--events-months", "1"];
        assert_eq!(Purge::parse(&all), Some(Purge { events_months: 1, expired_months: 24, batch: 7 }));
        assert_eq!(Reseal::parse(&[]), Some(Reseal { check: false, batch: 100 }));
        assert_eq!(Reseal::parse(&["--check"]), Some(Reseal { check: true, batch: 100 }));
        assert_eq!(Reseal::parse(&["--check", "--batch", "3"]), Some(Reseal { check: true, batch: 3 }));
    }

    #[test]
    fn what_is_no_option_or_would_remove_everything_is_refused() {
        for arguments in [
            &["--events-months"][..],
            &["--events-months", "0"],
            &["--events-months", "-1"],
            &["--expired-months", "121"],
            &["--expired-months", "12 months"],
            &["--batch", "0"],
            &["--batch", "10001"],
            &["--everything", "1"],
            &["--batch", "5", "--events-months"],
            &["12"],
        ] {
            assert_eq!(Purge::parse(arguments), None, "{arguments:?}");
        }
        for arguments in [&["--batch"][..], &["--batch", "0"], &["--check", "--check"], &["k1"]] {
            assert_eq!(Reseal::parse(arguments), None, "{arguments:?}");
        }
    }
}
