//! Points in time, as whole seconds of the one clock: the database's.
//!
//! Nothing here reads a clock. A `now` is always what a load returned.

use chrono::{DateTime, SecondsFormat};

/// 0000-01-01T00:00:00Z, the first second that RFC 3339 can write.
const RFC3339_FIRST_SECOND: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59Z, the last one.
const RFC3339_LAST_SECOND: i64 = 253_402_300_799;

/// Seconds since 1970-01-01T00:00:00Z, as `extract(epoch from ...)::bigint` gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// The point in time this many seconds after the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds after the epoch.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This many seconds later (earlier, when negative); stays at the end of the range instead of wrapping.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// RFC 3339 in UTC, such as `2026-11-22T05:30:00Z`. RFC 3339 has years of four digits only (section 1):
    /// what lies outside is written as the nearest second inside.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let seconds = self.0.clamp(RFC3339_FIRST_SECOND, RFC3339_LAST_SECOND);
        // Years 0 to 9999 are well inside chrono's range, so the default is never taken.
        DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_rfc_3339_in_utc() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (1_795_325_400, "2026-11-22T05:30:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (RFC3339_FIRST_SECOND, "0000-01-01T00:00:00Z"),
            (RFC3339_LAST_SECOND, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(UnixTime::from_seconds(seconds).to_rfc3339(), expected, "{seconds}");
        }
    }

    #[test]
    fn a_time_beyond_four_digit_years_is_written_as_the_nearest_within() {
        for seconds in [RFC3339_LAST_SECOND + 1, i64::MAX] {
            assert_eq!(UnixTime::from_seconds(seconds).to_rfc3339(), "9999-12-31T23:59:59Z");
        }
        for seconds in [RFC3339_FIRST_SECOND - 1, i64::MIN] {
            assert_eq!(UnixTime::from_seconds(seconds).to_rfc3339(), "0000-01-01T00:00:00Z");
        }
    }

    #[test]
    fn seconds_are_added_without_wrapping() {
        let time = UnixTime::from_seconds(100);
        assert_eq!(time.plus_seconds(-200).seconds(), -100);
        assert!(time.plus_seconds(1) > time);
        assert_eq!(time.plus_seconds(i64::MAX).seconds(), i64::MAX);
        assert_eq!(UnixTime::from_seconds(-2).plus_seconds(i64::MIN).seconds(), i64::MIN);
    }
}
