//! Holds what people were told against what is stored.

use std::collections::HashMap;
use std::fmt;

use harness::Authenticator;
use harness::database::APPLICATION_ROLE;
use harness::shared::Running;

use crate::traffic::{Clock, PREFIX, Walk};

/// What everybody of a crowd was told.
pub struct Ledger {
    walks: Vec<Walk>,
}

/// A table of what was looked at, and whether it held.
#[derive(Default)]
pub struct Report(Vec<Line>);

struct Line {
    what: String,
    figure: String,
    held: bool,
}

impl Report {
    /// A figure, to be read.
    fn count(&mut self, what: &str, figure: usize) {
        self.0.push(Line { what: what.to_owned(), figure: figure.to_string(), held: true });
    }

    /// What nothing may be of. Two of them are named.
    fn none(&mut self, what: &str, found: &[String]) {
        let some = found.iter().take(2).map(String::as_str).collect::<Vec<_>>().join("; ");
        let figure = if found.is_empty() { "none".to_owned() } else { format!("{} ({some})", found.len()) };
        self.0.push(Line { what: what.to_owned(), figure, held: found.is_empty() });
    }

    /// Fails the test when something did not hold.
    #[track_caller]
    pub fn assert_held(&self) {
        assert!(self.0.iter().all(|line| line.held), "something did not hold:\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { what, figure, held } in &self.0 {
            let mark = if *held { "  " } else { "!!" };
            writeln!(formatter, "  {mark} {what:<62} {figure}")?;
        }
        Ok(())
    }
}

/// How many connections of the application stand in a transaction that somebody left open.
#[must_use]
pub fn open_transactions(running: &Running) -> i64 {
    let statement = "SELECT count(*) FROM pg_stat_activity \
                     WHERE usename = $1 AND datname = current_database() AND state LIKE 'idle in transaction%'";
    running.database.owner().query_one(statement, &[&APPLICATION_ROLE]).unwrap().get(0)
}

/// What is stored of one account.
struct Stored {
    state: String,
    live: i64,
    unconfirmed: i64,
    sessions: i64,
    events: HashMap<String, i64>,
}

impl Stored {
    /// How often this was done, by the events.
    fn done(&self, kind: &str) -> i64 {
        self.events.get(kind).copied().unwrap_or(0)
    }

    fn is_wholly_pending(&self) -> bool {
        self.state == "pending"
            && (self.live, self.unconfirmed, self.sessions) == (0, 1, 0)
            && (self.done("activate"), self.done("login")) == (0, 0)
    }

    /// The activation and each login opened a session.
    fn is_wholly_active(&self) -> bool {
        self.state == "active"
            && (self.live, self.unconfirmed, self.sessions) == (1, 0, 1 + self.done("login"))
            && self.done("activate") == 1
    }

    /// Active, with nothing open: neither a session nor a start.
    fn is_wholly_restored(&self) -> bool {
        self.state == "active"
            && (self.live, self.unconfirmed, self.sessions) == (1, 0, 0)
            && self.done("activate") == 1
    }

    fn was_done_once(&self) -> bool {
        self.done("start") == 1 && self.done("reveal") <= 1 + self.done("new_code")
    }
}

impl Ledger {
    pub(crate) fn new(walks: Vec<Walk>) -> Self {
        Self { walks }
    }

    /// How many requests failed for want of the database.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.sum(|walk| walk.unavailable + walk.cut)
    }

    /// Looks at every account, and logs in to those that were told that they can.
    #[must_use]
    pub fn hold_against(&self, running: &Running) -> Report {
        let mut report = Report::default();
        self.count(&mut report);
        let stored = stored(running);
        report.count("accounts that are active", stored.values().filter(|row| row.state == "active").count());
        report
            .count("accounts that are pending", stored.values().filter(|row| row.state == "pending").count());
        self.compare(&mut report, &stored);
        let refused = self.refused_logins(running, |walk| walk.activated);
        report.none("accounts that may log in and cannot", &refused);
        let open = usize::try_from(open_transactions(running)).unwrap();
        report.none("connections left idle in a transaction", &vec!["one".to_owned(); open]);
        report
    }

    /// Looks at every account of a restored database, whose backup began when so many people had arrived: each of them
    /// is there, and whoever is there logs in; who is not starts again.
    #[must_use]
    pub fn hold_against_restored(&self, running: &Running, arrived: usize) -> Report {
        let mut report = Report::default();
        let surprises: Vec<String> = self.walks.iter().filter_map(|walk| walk.surprise.clone()).collect();
        report.none("answers that nothing explains, before, beside and after the backup", &surprises);
        report.count("accounts that were active at the end", self.sum(|walk| walk.activated.into()));
        report.count("accounts that were acknowledged before the backup began", arrived);
        let stored = stored(running);
        report.count("accounts that are back", stored.len());
        let is_back = |walk: &Walk| stored.contains_key(&walk.username);
        let lost = self.walks.iter().filter(|walk| (1..=arrived).contains(&walk.arrival) && !is_back(walk));
        report.none("acknowledged accounts that are lost", &names(lost));
        let half = stored.iter().filter(|(_, row)| !row.is_wholly_restored());
        report.none("accounts that are half", &half.map(|(name, _)| name.clone()).collect::<Vec<_>>());
        report.none("accounts that are back and cannot log in", &self.refused_logins(running, is_back));
        let absent = self.walks.iter().filter(|walk| !is_back(walk));
        let stuck = absent.filter(|walk| running.client.start_request(&walk.username).send().status != 201);
        report.none("names that are not back and cannot be started again", &names(stuck));
        report
    }

    fn count(&self, report: &mut Report) {
        report.count("people who started", self.walks.len());
        report.count("requests", self.sum(|walk| walk.requests));
        report.count("  of them answered with 503", self.sum(|walk| walk.unavailable));
        report.count("  of them cut", self.sum(|walk| walk.cut));
        report.count("activations that were acknowledged", self.sum(|walk| walk.activated.into()));
        report.count("logins that were acknowledged", self.sum(|walk| walk.logins));
        let surprises: Vec<String> = self.walks.iter().filter_map(|walk| walk.surprise.clone()).collect();
        report.none("answers that nothing explains", &surprises);
    }

    fn compare(&self, report: &mut Report, stored: &HashMap<String, Stored>) {
        let told = |what: fn(&Walk, Option<&Stored>) -> bool| -> Vec<String> {
            let wrong = self.walks.iter().filter(|walk| !what(walk, stored.get(&walk.username)));
            wrong.map(|walk| walk.username.clone()).collect()
        };
        let is = |what: fn(&Stored) -> bool| -> Vec<String> {
            stored.iter().filter(|(_, row)| !what(row)).map(|(username, _)| username.clone()).collect()
        };
        report.none(
            "starts that were acknowledged and lost",
            &told(|walk, row| !walk.started || row.is_some()),
        );
        report.none(
            "passwords that were handed over without an event",
            &told(|walk, row| row.map_or(0, |row| row.done("reveal")) >= number(walk.passwords)),
        );
        report.none(
            "activations that were acknowledged and lost",
            &told(|walk, row| !walk.activated || row.is_some_and(|row| row.state == "active")),
        );
        report.none(
            "logins that were acknowledged and lost",
            &told(|walk, row| row.map_or(0, |row| row.done("login")) >= number(walk.logins)),
        );
        report.none(
            "logins that nobody asked for",
            &told(|walk, row| row.map_or(0, |row| row.done("login")) <= number(walk.logins_tried)),
        );
        report.none(
            "accounts neither wholly pending nor wholly active",
            &is(|row| row.is_wholly_pending() || row.is_wholly_active()),
        );
        report.none("accounts with something done twice", &is(Stored::was_done_once));
    }

    /// These people log in once more, with a code that was not used.
    fn refused_logins(&self, running: &Running, who: impl Fn(&Walk) -> bool) -> Vec<String> {
        forget_used_steps(running);
        let clock = Clock::of(running);
        let mut refused = Vec::new();
        for walk in self.walks.iter().filter(|walk| who(walk)) {
            let (password, phone): &(String, Authenticator) = walk.credentials.as_ref().unwrap();
            let code = phone.code_at(clock.now());
            let answer = running.client.login(&walk.username, password, &code);
            if answer.status != 200 {
                refused.push(format!("{}: {} {}", walk.username, answer.status, answer.code()));
            }
        }
        refused
    }

    fn sum(&self, of: impl Fn(&Walk) -> usize) -> usize {
        self.walks.iter().map(of).sum()
    }
}

fn names<'walk>(walks: impl Iterator<Item = &'walk Walk>) -> Vec<String> {
    walks.map(|walk| walk.username.clone()).collect()
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap()
}

/// All the accounts of a crowd at once, as `time_travel` does it for one.
fn forget_used_steps(running: &Running) {
    let mut owner = running.database.owner();
    owner.batch_execute("SET session_replication_role = replica").unwrap();
    owner.batch_execute("UPDATE credential SET last_step = last_step - 1000 WHERE live").unwrap();
}

fn stored(running: &Running) -> HashMap<String, Stored> {
    let mut owner = running.database.owner();
    let pattern = format!("{PREFIX}%");
    let accounts = owner
        .query(
            "SELECT username, state, \
                (SELECT count(*) FROM credential WHERE account_id = account.id AND live), \
                (SELECT count(*) FROM credential WHERE account_id = account.id AND NOT live), \
                (SELECT count(*) FROM session JOIN credential ON credential.id = credential_id \
                    WHERE account_id = account.id) \
             FROM account WHERE username LIKE $1",
            &[&pattern],
        )
        .unwrap();
    let mut stored: HashMap<String, Stored> = accounts
        .iter()
        .map(|row| {
            let account = Stored {
                state: row.get(1),
                live: row.get(2),
                unconfirmed: row.get(3),
                sessions: row.get(4),
                events: HashMap::new(),
            };
            (row.get(0), account)
        })
        .collect();
    let events = owner
        .query(
            "SELECT username, kind, count(*) FROM event JOIN account ON account.id = account_id \
             WHERE outcome = 'ok' AND username LIKE $1 GROUP BY username, kind",
            &[&pattern],
        )
        .unwrap();
    for row in &events {
        let account = stored.get_mut(row.get::<_, &str>(0)).unwrap();
        account.events.insert(row.get(1), row.get(2));
    }
    stored
}
