//! How many codes somebody who already has the password may try, and how fast.
//!
//! The schedule is data, because the decision falls in SQL, on locked rows: the store passes these numbers as parameters.
//! [`LockSchedule::verdict_after`] is the same rule in Rust, which a test of the store holds the SQL against.

#[cfg(test)]
mod tests;

use crate::limits::{
    GUESSING_ENDS_START_AT_WRONG_CODES, GUESSING_FIRST_WAIT_AT_WRONG_CODES, GUESSING_LONGEST_WAIT_MINUTES,
    GUESSING_SUSPENDS_AT_WRONG_CODES,
};

/// After the n-th wrong code in a row, n >= `first_wait_at`: wait min(`longest_wait_minutes`, 2^(n - `first_wait_at`))
/// minutes; at `stop_at` it is over, in the way that `stop` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockSchedule {
    /// The number of wrong codes with which waiting begins.
    pub first_wait_at: u32,
    /// No wait is longer.
    pub longest_wait_minutes: u32,
    /// The number of wrong codes with which it is over.
    pub stop_at: u32,
    /// What "over" means here.
    pub stop: Stop,
}

/// What the last allowed wrong code does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The account is suspended until an operator releases it.
    SuspendsAccount,
    /// The start ends, as if its deadline had passed.
    EndsStart,
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
    /// Codes at a login, counted on the account.
    pub const LOGIN: Self = Self {
        first_wait_at: GUESSING_FIRST_WAIT_AT_WRONG_CODES,
        longest_wait_minutes: GUESSING_LONGEST_WAIT_MINUTES,
        stop_at: GUESSING_SUSPENDS_AT_WRONG_CODES,
        stop: Stop::SuspendsAccount,
    };

    /// Codes at an activation, counted on the start.
    pub const ACTIVATION: Self = Self {
        first_wait_at: GUESSING_FIRST_WAIT_AT_WRONG_CODES,
        longest_wait_minutes: GUESSING_LONGEST_WAIT_MINUTES,
        stop_at: GUESSING_ENDS_START_AT_WRONG_CODES,
        stop: Stop::EndsStart,
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
