//! When a credential ends. Computed once, at activation, and stored; from then on SQL compares it with `now()`.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Months};

use crate::limits::CREDENTIAL_MONTHS;
use crate::time::UnixTime;

/// The end of a credential that is activated now: six calendar months later in UTC, at the same time of day, the day
/// clamped to the month's last (31 August ends on the last day of February).
///
/// A `now` beyond the calendar's range, a quarter of a million years away, ends at once: a broken clock gives no
/// credential that lives for ever.
#[must_use]
pub fn credential_expiry(now: UnixTime) -> UnixTime {
    DateTime::from_timestamp(now.seconds(), 0)
        .and_then(|now| now.checked_add_months(Months::new(CREDENTIAL_MONTHS)))
        .map_or(now, |end| UnixTime::from_seconds(end.timestamp()))
}

/// Whether something that ends at `expires_at` is over: its last second is the one before. SQL says the same as
/// `expires_at <= now()`.
#[must_use]
pub fn is_expired(expires_at: UnixTime, now: UnixTime) -> bool {
    expires_at <= now
}
