//! Whether the database can serve.

use domain::UnixTime;
use domain::limits::CLOCKS_APART_MAX_SECONDS;

use crate::database::{Database, Error};
use crate::functions::HEALTH_CHECK;

/// Succeeds when the database answers, can be written to, has seen the migration of exactly this release, and has the
/// right time.
///
/// `clock` is that of the server that asks. Nothing is decided by it, here as elsewhere; but where the two are
/// apart, one of them is wrong, and if it is the database's, right codes are refused. It is read before and after the
/// database, because an answer that is slow is no clock that is wrong.
///
/// # Errors
/// [`Error`] when it does not; [`Error::ClocksApart`] when its time is the only thing that is wrong.
pub fn check(database: &impl Database, clock: impl Fn() -> UnixTime) -> Result<(), Error> {
    let before = clock();
    let there = HEALTH_CHECK.only_row(database, &[])?.get("now")?;
    let ahead_seconds = ahead(there, before, clock());
    if ahead_seconds.unsigned_abs() > CLOCKS_APART_MAX_SECONDS.unsigned_abs() {
        return Err(Error::ClocksApart { ahead_seconds });
    }
    Ok(())
}

/// How far a time is ahead of one that was read between two others, at the least; behind when negative.
fn ahead(there: UnixTime, before: UnixTime, after: UnixTime) -> i64 {
    // A clock that is put right in between may go back.
    let nearest = there.clamp(before, after.max(before));
    there.seconds().saturating_sub(nearest.seconds())
}
