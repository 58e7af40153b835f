//! Moves rows through time, because the clock is the database's and cannot be moved. With `rows`, the only
//! module of the black-box tests that knows tables and columns.
//!
//! Each function asserts that it moved something: a test whose premise silently failed would prove nothing.

use crate::TestDatabase;
use crate::database::KeptClient;

/// A database's rows, to be moved.
#[derive(Debug)]
pub struct TimeTravel<'database> {
    database: &'database TestDatabase,
}

impl TestDatabase {
    /// Access to the rows' times.
    #[must_use]
    pub fn time_travel(&self) -> TimeTravel<'_> {
        TimeTravel { database: self }
    }
}

const OF_ACCOUNT: &str = "account_id = (SELECT id FROM account WHERE username = $1)";

impl TimeTravel<'_> {
    /// The code that waits to be revealed is past its ten minutes; the start goes on.
    pub fn expire_reveal(&self, username: &str) {
        self.credential(username, "reveal_expires_at = now() - interval '1 second'", "NOT live");
    }

    /// The start is past its fifteen minutes, with everything that belongs to it.
    pub fn expire_start(&self, username: &str) {
        self.credential(
            username,
            "deadline = now() - interval '1 second', \
             reveal_expires_at = least(reveal_expires_at, now() - interval '1 second')",
            "NOT live",
        );
        let statement = "UPDATE account SET pending_until = now() - interval '1 second' \
                         WHERE username = $1 AND state = 'pending'";
        self.client().execute(statement, &[&username]).unwrap();
    }

    /// The start, and the code that waits in it, end this many seconds from now.
    pub fn start_ends_in(&self, username: &str, seconds: u32) {
        let end = format!("now() + interval '{seconds} seconds'");
        self.credential(username, &format!("deadline = {end}, reveal_expires_at = {end}"), "NOT live");
        let statement =
            format!("UPDATE account SET pending_until = {end} WHERE username = $1 AND state = 'pending'");
        self.client().execute(&statement, &[&username]).unwrap();
    }

    /// Six months have passed for the live credential.
    pub fn expire_credentials(&self, username: &str) {
        self.credential(username, "expires_at = now() - interval '1 second'", "live");
    }

    /// So many calendar months have passed since the live credential ended.
    pub fn expire_credentials_months_ago(&self, username: &str, months: u32) {
        let end = format!(
            "expires_at = (now() AT TIME ZONE 'UTC' - interval '{months} months') AT TIME ZONE 'UTC'"
        );
        self.credential(username, &end, "live");
    }

    /// Every event of the account is this many days older.
    pub fn age_events(&self, username: &str, days: u32) {
        let statement = format!("UPDATE event SET at = at - interval '{days} days' WHERE {OF_ACCOUNT}");
        assert!(self.client().execute(&statement, &[&username]).unwrap() > 0, "{username} has no events");
    }

    /// The live credential ends this many seconds from now.
    pub fn credentials_end_in(&self, username: &str, seconds: u32) {
        self.credential(username, &format!("expires_at = now() + interval '{seconds} seconds'"), "live");
    }

    /// Every renewal token of the account is past its fifteen minutes.
    pub fn expire_renewal_tokens(&self, username: &str) {
        let statement = format!(
            "UPDATE renewal_token SET expires_at = now() - interval '1 second' \
             WHERE credential_id IN (SELECT id FROM credential WHERE {OF_ACCOUNT})"
        );
        assert!(
            self.client().execute(&statement, &[&username]).unwrap() > 0,
            "{username} has no renewal token"
        );
    }

    /// Every session of the account was last seen this many minutes ago.
    pub fn sessions_idle_for_minutes(&self, username: &str, minutes: u32) {
        self.sessions(username, &format!("last_seen_at = now() - interval '{minutes} minutes'"));
    }

    /// Every session of the account was opened this many minutes ago, and seen just now.
    pub fn sessions_opened_minutes_ago(&self, username: &str, minutes: u32) {
        self.sessions(
            username,
            &format!("created_at = now() - interval '{minutes} minutes', last_seen_at = now()"),
        );
    }

    /// The twelve months for which the name of a deleted account is reserved have passed.
    pub fn end_reservation(&self, username: &str) {
        let statement = "UPDATE reserved_name SET reserved_until = now() - interval '1 second' \
                         WHERE hash = sha256(convert_to($1, 'UTF8')) AND reserved_until > now()";
        assert_eq!(self.client().execute(statement, &[&username]).unwrap(), 1, "{username} is reserved");
    }

    /// The codes that were used are forgotten, so that the current one is fresh, as if minutes had passed.
    pub fn forget_used_steps(&self, username: &str) {
        self.credential(username, "last_step = last_step - 1000", "live");
    }

    /// The code of this moment, and those before it, were used.
    pub fn use_up_codes(&self, username: &str) {
        self.credential(username, "last_step = floor(extract(epoch FROM now()) / 30)", "live");
    }

    /// The wait after wrong codes, of the account or of its start, is over; the count stays.
    pub fn end_wait(&self, username: &str) {
        let mut client = self.client();
        let account = "UPDATE account SET locked_until = now() - interval '1 second' \
                       WHERE username = $1 AND locked_until IS NOT NULL";
        let start = format!(
            "UPDATE credential SET locked_until = now() - interval '1 second' \
             WHERE {OF_ACCOUNT} AND locked_until IS NOT NULL"
        );
        let moved =
            client.execute(account, &[&username]).unwrap() + client.execute(&start, &[&username]).unwrap();
        assert!(moved > 0, "{username} waits for nothing");
    }

    /// How many wrong codes in a row the account has.
    #[must_use]
    pub fn wrong_codes(&self, username: &str) -> i32 {
        self.client()
            .query_one("SELECT wrong_codes FROM account WHERE username = $1", &[&username])
            .unwrap()
            .get(0)
    }

    /// Sets how many wrong codes in a row the account has, with no wait.
    pub fn set_wrong_codes(&self, username: &str, count: i32) {
        let statement = "UPDATE account SET wrong_codes = $2, locked_until = NULL WHERE username = $1";
        assert_eq!(self.client().execute(statement, &[&username, &count]).unwrap(), 1);
    }

    /// Sets how many wrong codes the start has, with no wait.
    pub fn set_wrong_codes_of_the_start(&self, username: &str, count: i32) {
        self.credential(username, &format!("wrong_codes = {count}, locked_until = NULL"), "NOT live");
    }

    /// The state that the account's row is in; none when there is no such account.
    #[must_use]
    pub fn state(&self, username: &str) -> Option<String> {
        let row =
            self.client().query_opt("SELECT state FROM account WHERE username = $1", &[&username]).unwrap();
        row.map(|row| row.get(0))
    }

    /// The account's row with what PostgreSQL knows about its last change, to see that it was not written at all.
    #[must_use]
    pub fn account_row(&self, username: &str) -> String {
        let statement =
            "SELECT xmin::text || ' ' || xmax::text || ' ' || account::text FROM account WHERE username = $1";
        self.client().query_one(statement, &[&username]).unwrap().get(0)
    }

    /// The account's id as text, to see whether a name has changed hands.
    #[must_use]
    pub fn account_id(&self, username: &str) -> String {
        let statement = "SELECT id::text FROM account WHERE username = $1";
        self.client().query_one(statement, &[&username]).unwrap().get(0)
    }

    /// The public id of the account's only session.
    #[must_use]
    pub fn session_id(&self, username: &str) -> String {
        let statement =
            "SELECT session.id::text FROM session JOIN account USING (credential_id) WHERE username = $1";
        self.client().query_one(statement, &[&username]).expect("there is one").get(0)
    }

    /// How many accounts, credentials and sessions belong to the name.
    #[must_use]
    pub fn belongings(&self, username: &str) -> Belongings {
        let statement = format!(
            "SELECT (SELECT count(*) FROM account WHERE username = $1), \
                    (SELECT count(*) FROM credential WHERE {OF_ACCOUNT} AND live), \
                    (SELECT count(*) FROM credential WHERE {OF_ACCOUNT} AND NOT live), \
                    (SELECT count(*) FROM session WHERE credential_id IN \
                        (SELECT id FROM credential WHERE {OF_ACCOUNT}))"
        );
        let row = self.client().query_one(&statement, &[&username]).unwrap();
        Belongings { accounts: row.get(0), live: row.get(1), unconfirmed: row.get(2), sessions: row.get(3) }
    }

    /// The events of the account so far, oldest first, as `kind/outcome`.
    #[must_use]
    pub fn events(&self, username: &str) -> Vec<String> {
        let statement = format!("SELECT kind || '/' || outcome FROM event WHERE {OF_ACCOUNT} ORDER BY id");
        let rows = self.client().query(&statement, &[&username]).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The events of an account that may be gone, oldest first, as `kind/outcome`.
    #[must_use]
    pub fn events_of_id(&self, account_id: &str) -> Vec<String> {
        let statement = "SELECT kind || '/' || outcome FROM event WHERE account_id::text = $1 ORDER BY id";
        let rows = self.client().query(statement, &[&account_id]).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Adds events of the account, each a second older than the one before it and all older than those that are there.
    pub fn add_old_events(&self, username: &str, count: i32) {
        let statement = "INSERT INTO event (at, kind, outcome, account_id) \
             SELECT oldest.at - make_interval(secs => number), 'login', 'wrong_password', oldest.account_id \
             FROM (SELECT min(at) AS at, account_id FROM event JOIN account ON account.id = event.account_id \
                   WHERE username = $1 GROUP BY account_id) AS oldest, generate_series(1, $2) AS number";
        assert_eq!(
            self.client().execute(statement, &[&username, &count]).unwrap(),
            u64::from(count.unsigned_abs())
        );
    }

    /// Removes the account with the help desk's own function.
    #[must_use]
    pub fn remove(&self, username: &str) -> bool {
        self.call("delete_account", username)
    }

    /// Suspends the account, with the operator's own function.
    pub fn suspend(&self, username: &str) {
        assert!(self.call("suspend_account", username), "{username} cannot be suspended");
    }

    /// Releases the account, with the operator's own function.
    pub fn release(&self, username: &str) {
        assert!(self.call("release_account", username), "{username} is not suspended");
    }

    /// Puts the sealed verifier and secret of one account's live credential into another's, as somebody who can write
    /// to the database might.
    pub fn copy_sealed_columns(&self, from: &str, to: &str) {
        let statement = "UPDATE credential SET verifier = theirs.verifier, totp_secret = theirs.totp_secret \
             FROM credential AS theirs JOIN account AS their_account ON their_account.id = theirs.account_id \
             WHERE theirs.live AND their_account.username = $1 AND credential.live \
             AND credential.account_id = (SELECT id FROM account WHERE username = $2)";
        assert_eq!(self.client().execute(statement, &[&from, &to]).unwrap(), 1);
    }

    fn call(&self, function: &str, username: &str) -> bool {
        self.client().query_one(&format!("SELECT {function}($1)"), &[&username]).unwrap().get(0)
    }

    fn credential(&self, username: &str, change: &str, which: &str) {
        let statement = format!("UPDATE credential SET {change} WHERE {OF_ACCOUNT} AND {which}");
        let moved = self.client().execute(&statement, &[&username]).unwrap();
        assert_eq!(moved, 1, "{username} has one credential that is {which}");
    }

    fn sessions(&self, username: &str, change: &str) {
        let statement = format!(
            "UPDATE session SET {change} WHERE credential_id IN (SELECT id FROM credential WHERE {OF_ACCOUNT})"
        );
        assert!(self.client().execute(&statement, &[&username]).unwrap() > 0, "{username} has no session");
    }

    fn client(&self) -> KeptClient<'_> {
        self.database.mover()
    }
}

/// What a name has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Belongings {
    /// Accounts of this name: never more than one.
    pub accounts: i64,
    /// Live credentials: never more than one.
    pub live: i64,
    /// Unconfirmed credentials: never more than one.
    pub unconfirmed: i64,
    /// Sessions.
    pub sessions: i64,
}
