//! The events of an account, read as a history: whatever came at once has to be some order of what may come in a row.

/// The rule of design section 5, written a second time: after the n-th wrong code in a row, n >= 5, this many minutes.
#[must_use]
pub fn wait_minutes(wrong_codes: i64) -> i64 {
    match wrong_codes {
        ..5 => 0,
        5..11 => 1 << (wrong_codes - 5),
        _ => 60,
    }
}

/// Where a history of logins leads, when nobody ended a wait meanwhile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guessing {
    /// Wrong codes in a row.
    pub wrong_codes: i64,
    /// Whether the account waits.
    pub is_waiting: bool,
    /// Whether it is suspended.
    pub is_suspended: bool,
    /// Codes that were judged: right, wrong, or used.
    pub judged: usize,
}

impl Guessing {
    /// After so many wrong codes, and with the wait over.
    #[must_use]
    pub fn after(wrong_codes: i64) -> Self {
        Self { wrong_codes, ..Self::default() }
    }

    /// Goes through events, `kind/outcome`, oldest first.
    ///
    /// # Panics
    /// When one of them could not have come after those before it.
    #[track_caller]
    pub fn through(mut self, events: &[String]) -> Self {
        for (number, event) in events.iter().enumerate() {
            if let Some(outcome) = event.strip_prefix("login/") {
                assert!(self.may_follow(outcome), "event {number} of {events:#?} cannot follow {self:?}");
                self.follow(outcome);
            }
        }
        self
    }

    fn may_follow(&self, outcome: &str) -> bool {
        let open = !self.is_waiting && !self.is_suspended;
        let next = self.wrong_codes + 1;
        match outcome {
            "wrong_password" => true,
            "suspended" => self.is_suspended,
            "waiting" => self.is_waiting && !self.is_suspended,
            "ok" | "expired" | "reused_code" => open,
            "wrong_code" => open && next < 5,
            "wrong_code_locks" => open && (5..100).contains(&next),
            "wrong_code_suspends" => open && next >= 100,
            _ => false,
        }
    }

    fn follow(&mut self, outcome: &str) {
        match outcome {
            "ok" | "expired" => self.wrong_codes = 0,
            "wrong_code" | "wrong_code_locks" | "wrong_code_suspends" => self.wrong_codes += 1,
            "reused_code" => {}
            _ => return,
        }
        self.judged += 1;
        self.is_waiting = outcome == "wrong_code_locks";
        self.is_suspended |= outcome == "wrong_code_suspends";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(outcomes: &[&str]) -> Vec<String> {
        outcomes.iter().map(|outcome| format!("login/{outcome}")).collect()
    }

    #[test]
    fn a_history_leads_where_the_rule_says() {
        let four = ["wrong_code"; 4];
        let waiting = [&four[..], &["wrong_code_locks", "waiting", "wrong_password"]].concat();
        let after = Guessing::default().through(&history(&waiting));
        let expected = Guessing { wrong_codes: 5, is_waiting: true, is_suspended: false, judged: 5 };
        assert_eq!(after, expected);
        let won = [&four[..], &["ok", "reused_code", "wrong_code"]].concat();
        assert_eq!(Guessing::default().through(&history(&won)).wrong_codes, 1);
        let last = Guessing::after(99).through(&history(&["wrong_code_suspends", "suspended"]));
        assert!(last.is_suspended);
    }

    #[test]
    #[should_panic(expected = "cannot follow")]
    fn a_sixth_guess_without_a_wait_is_noticed() {
        let _after = Guessing::default().through(&history(&["wrong_code"; 6]));
    }

    #[test]
    #[should_panic(expected = "cannot follow")]
    fn a_success_during_a_wait_is_noticed() {
        let _after = Guessing::after(4).through(&history(&["wrong_code_locks", "ok"]));
    }

    #[test]
    fn the_waits_are_those_of_the_design() {
        let waits: Vec<i64> = [1, 4, 5, 6, 10, 11, 99].map(wait_minutes).into();
        assert_eq!(waits, [0, 0, 1, 2, 32, 60, 60]);
    }
}
