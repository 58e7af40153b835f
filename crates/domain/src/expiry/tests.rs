use chrono::{DateTime, Datelike, Timelike};
use proptest::prelude::*;

use super::*;

fn time(text: &str) -> UnixTime {
    UnixTime::from_seconds(DateTime::parse_from_rfc3339(text).unwrap().timestamp())
}

#[test]
fn the_table_of_six_calendar_months_holds() {
    for (activated, ends) in [
        ("2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z"),
        // The day is clamped to the last of the month.
        ("2026-08-31T09:30:15Z", "2027-02-28T09:30:15Z"),
        ("2026-08-30T09:30:15Z", "2027-02-28T09:30:15Z"),
        ("2026-08-29T09:30:15Z", "2027-02-28T09:30:15Z"),
        ("2026-08-28T09:30:15Z", "2027-02-28T09:30:15Z"),
        ("2026-08-27T09:30:15Z", "2027-02-27T09:30:15Z"),
        ("2027-08-31T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("2027-08-30T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("2027-08-29T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("2027-08-28T00:00:00Z", "2028-02-28T00:00:00Z"),
        ("2026-03-31T00:00:00Z", "2026-09-30T00:00:00Z"),
        ("2026-05-31T00:00:00Z", "2026-11-30T00:00:00Z"),
        ("2026-10-31T00:00:00Z", "2027-04-30T00:00:00Z"),
        ("2026-12-31T00:00:00Z", "2027-06-30T00:00:00Z"),
        // And never the other way round: the last of a short month stays where it is.
        ("2027-02-28T00:00:00Z", "2027-08-28T00:00:00Z"),
        ("2028-02-29T00:00:00Z", "2028-08-29T00:00:00Z"),
        ("2026-06-30T00:00:00Z", "2026-12-30T00:00:00Z"),
        ("2026-01-31T00:00:00Z", "2026-07-31T00:00:00Z"),
        ("2026-07-31T00:00:00Z", "2027-01-31T00:00:00Z"),
        // Years and centuries.
        ("2026-06-30T23:59:59Z", "2026-12-30T23:59:59Z"),
        ("2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2099-08-31T00:00:00Z", "2100-02-28T00:00:00Z"),
        ("1999-08-31T00:00:00Z", "2000-02-29T00:00:00Z"),
        // UTC: no hour is lost or won where Europe changes its clocks.
        ("2026-03-29T01:30:00Z", "2026-09-29T01:30:00Z"),
        ("2026-10-25T01:30:00Z", "2027-04-25T01:30:00Z"),
        ("1969-07-31T23:59:59Z", "1970-01-31T23:59:59Z"),
    ] {
        assert_eq!(credential_expiry(time(activated)).to_rfc3339(), ends, "activated {activated}");
    }
}

#[test]
fn what_ends_now_is_expired() {
    let end = time("2027-02-28T09:30:15Z");
    assert!(!is_expired(end, end.plus_seconds(-1)));
    assert!(is_expired(end, end));
    assert!(is_expired(end, end.plus_seconds(1)));
}

#[test]
fn a_clock_beyond_the_calendar_gives_a_credential_that_is_over_at_once() {
    for seconds in [i64::MIN, i64::MAX, DateTime::<chrono::Utc>::MAX_UTC.timestamp()] {
        let now = UnixTime::from_seconds(seconds);
        assert!(is_expired(credential_expiry(now), now), "{seconds}");
    }
}

proptest! {
    #[test]
    fn six_months_later_it_is_the_same_time_of_day_in_the_sixth_month(seconds in 0_i64..253_000_000_000) {
        let parts = |time: UnixTime| DateTime::from_timestamp(time.seconds(), 0).unwrap();
        let now = parts(UnixTime::from_seconds(seconds));
        let end = parts(credential_expiry(UnixTime::from_seconds(seconds)));
        let months = |at: &DateTime<chrono::Utc>| i64::from(at.year()) * 12 + i64::from(at.month0());
        prop_assert_eq!(months(&end), months(&now) + 6);
        prop_assert_eq!(end.num_seconds_from_midnight(), now.num_seconds_from_midnight());
        let tomorrow = end + chrono::Days::new(1);
        prop_assert!(end.day() == now.day() || (end.day() < now.day() && tomorrow.day() == 1));
    }
}
