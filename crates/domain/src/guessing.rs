//! How many codes somebody who already has the password may try, and how fast.
//!
//! The schedule is data, because the decision falls in SQL, on locked rows: the operations pass these numbers as parameters.
//! [`LockSchedule::verdict_after`] is the same rule in Rust, which tests of the operations hold the SQL against.

#[cfg(test)]
mod tests;

use crate::limits::{
    GUESSING_ENDS_START_AT_WRONG_CODES, GUESSING_FIRST_WAIT_AT_WRONG_CODES, GUESSING_LONGEST_WAIT_MINUTES,
    GUESSING_SUSPENDS_AT_WRONG_CODES,
};

/// After the n-th wrong code in a row, n >= `first_wait_at`: wait min(`longest_wait_minutes`, 2^(n - `first_wait_at`))
/// minutes; at `stop_at` it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockSchedule {
    /// The number of wrong codes with which waiting begins.
    pub first_wait_at: u32,
    /// No wait is longer.
    pub longest_wait_minutes: u32,
    /// The number of wrong codes with which it is over.
    pub stop_at: u32,
}

/// What follows a wrong code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterWrongCode {
    /// The next attempt may follow at once.
    Continue,
    /// The next attempt counts only after this many minutes.
    Wait {
        /// Whole minutes, at least one.
        minutes: u32,
    },
    /// There is no next attempt.
    Stop,
}

impl LockSchedule {
    /// Codes at a login, counted on the account. Over: it is suspended until an operator releases it.
    pub const LOGIN: Self = Self {
        first_wait_at: GUESSING_FIRST_WAIT_AT_WRONG_CODES,
        longest_wait_minutes: GUESSING_LONGEST_WAIT_MINUTES,
        stop_at: GUESSING_SUSPENDS_AT_WRONG_CODES,
    };

    /// Codes at an activation, counted on the start. Over: it ends, as if its deadline had passed.
    pub const ACTIVATION: Self = Self {
        first_wait_at: GUESSING_FIRST_WAIT_AT_WRONG_CODES,
        longest_wait_minutes: GUESSING_LONGEST_WAIT_MINUTES,
        stop_at: GUESSING_ENDS_START_AT_WRONG_CODES,
    };

    /// What follows when this was wrong code number `wrong_codes` in a row, counted from one.
    #[must_use]
    pub const fn verdict_after(&self, wrong_codes: u32) -> AfterWrongCode {
        if wrong_codes >= self.stop_at {
            return AfterWrongCode::Stop;
        }
        let Some(doublings) = wrong_codes.checked_sub(self.first_wait_at) else {
            return AfterWrongCode::Continue;
        };
        let minutes = match 1_u32.checked_shl(doublings) {
            Some(minutes) if minutes < self.longest_wait_minutes => minutes,
            Some(_) | None => self.longest_wait_minutes,
        };
        AfterWrongCode::Wait { minutes }
    }
}
