//! The clock of the server that this runs on. One thing asks for it: health, which compares it with the database's.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::UnixTime;

/// What it says now, in whole seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "health alone compares the database's clock with another; nothing is decided by it"
)]
pub(crate) fn read() -> UnixTime {
    since_the_epoch(SystemTime::now())
}

fn since_the_epoch(now: SystemTime) -> UnixTime {
    let seconds = match now.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
    };
    UnixTime::from_seconds(seconds)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_may_be_wrong_by_decades() {
        for (now, seconds) in [
            (UNIX_EPOCH, 0),
            (UNIX_EPOCH + Duration::from_millis(1_795_325_400_999), 1_795_325_400),
            (UNIX_EPOCH - Duration::from_secs(86_400), -86_400),
        ] {
            assert_eq!(since_the_epoch(now).seconds(), seconds);
        }
    }
}
