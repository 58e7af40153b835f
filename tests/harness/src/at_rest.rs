//! Sealed values as somebody who can write to the database sees them, and the owner's tool as an operator runs it.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use data_encoding::HEXLOWER;
use journey::functions::{LOGIN_COMMIT, LOGIN_LOAD};
use postgres::Client;
use uuid::Uuid;

use crate::deadline::poll;
use crate::dump::stored_forms;
use crate::{TestDatabase, workspace};

/// A column of sealed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The password's.
    Verifier,
    /// The second factor's.
    TotpSecret,
}

/// Which of an account's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The confirmed one.
    Live,
    /// The one of a start.
    Unconfirmed,
}

impl Column {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Verifier, Self::TotpSecret];

    const fn name(self) -> &'static str {
        match self {
            Self::Verifier => "verifier",
            Self::TotpSecret => "totp_secret",
        }
    }
}

impl Which {
    const fn condition(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Unconfirmed => "NOT live",
        }
    }
}

impl TestDatabase {
    /// A sealed value of an account.
    #[must_use]
    pub fn sealed(&self, username: &str, which: Which, column: Column) -> Vec<u8> {
        let (column, which) = (column.name(), which.condition());
        let statement = format!(
            "SELECT {column} FROM credential JOIN account ON account.id = account_id WHERE username = $1 AND {which}"
        );
        self.owner().query_one(&statement, &[&username]).expect("the account has such a credential").get(0)
    }

    /// Puts a sealed value where it may not belong.
    pub fn overwrite(&self, username: &str, which: Which, column: Column, blob: &[u8]) {
        overwrite(&mut self.owner(), username, which, column, blob);
    }

    /// Locks an account's row, as a statement of the service does, until the lock is dropped.
    #[must_use]
    pub fn hold(&self, username: &str) -> Held {
        let mut client = self.owner();
        client.batch_execute("BEGIN").unwrap();
        let lock = "SELECT FROM account WHERE username = $1 FOR NO KEY UPDATE";
        assert_eq!(client.execute(lock, &[&username]).unwrap(), 1);
        Held { client }
    }

    /// Starts a command of the owner's tool and returns when it waits for a lock.
    #[must_use]
    pub fn start_and_wait_for_a_lock(&self, mut command: Command) -> Child {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut owner = self.owner();
        let waits = "SELECT FROM pg_stat_activity WHERE application_name = 'identity-ops'
             AND datname = current_database() AND wait_event_type = 'Lock'";
        poll(Duration::from_secs(10), || owner.query_opt(waits, &[]).unwrap()).expect("the tool waits");
        child
    }

    /// Returns when no connection of the owner's tool is left, also not of one that was killed.
    pub fn wait_until_the_tool_is_gone(&self) {
        let mut owner = self.owner();
        let there = "SELECT FROM pg_stat_activity
             WHERE application_name = 'identity-ops' AND datname = current_database()";
        poll(Duration::from_secs(10), || owner.query(there, &[]).unwrap().is_empty().then_some(()))
            .expect("its connection ends");
    }

    /// Every credential without what is sealed, and without the steps that logins use up: what sealing again may not
    /// change.
    #[must_use]
    pub fn credentials_without_secrets(&self) -> String {
        let statement = "SELECT coalesce(string_agg((to_jsonb(credential) - 'verifier' - 'totp_secret' - 'last_step')::text, ';'
             ORDER BY id), '') FROM credential";
        self.owner().query_one(statement, &[]).unwrap().get(0)
    }

    /// The id of the account's live credential, as the tool names it.
    #[must_use]
    pub fn credential_id(&self, username: &str) -> String {
        let statement = "SELECT credential_id::text FROM account WHERE username = $1";
        self.owner().query_one(statement, &[&username]).unwrap().get(0)
    }

    /// The account of the third credential, in the order in which the tool visits them.
    #[must_use]
    pub fn third_account(&self) -> String {
        let statement = "SELECT username FROM credential JOIN account ON account.id = account_id
             ORDER BY credential.id OFFSET 2 LIMIT 1";
        self.owner().query_one(statement, &[]).expect("there are three").get(0)
    }

    /// How many sealed values name this key in their first bytes.
    #[must_use]
    pub fn values_under(&self, key_id: &str) -> i64 {
        let begin = [&[1, u8::try_from(key_id.len()).unwrap()], key_id.as_bytes()].concat();
        let statement = "SELECT count(*) FROM credential, unnest(ARRAY[verifier, totp_secret]) AS blob
             WHERE substring(blob FOR octet_length($1::bytea)) = $1::bytea";
        self.owner().query_one(statement, &[&begin]).unwrap().get(0)
    }

    /// Gives one account's live credential to another account, row and all, past the constraints.
    pub fn give_credential(&self, from: &str, to: &str) {
        self.unconstrained(&format!(
            "DELETE FROM credential USING account WHERE account_id = account.id AND username = '{to}';
             WITH stolen AS (
                UPDATE credential SET account_id = (SELECT id FROM account WHERE username = '{to}')
                FROM account WHERE account_id = account.id AND username = '{from}' RETURNING credential.id)
             UPDATE account SET credential_id = stolen.id FROM stolen WHERE username = '{to}'"
        ));
    }

    /// Gives two accounts each other's names.
    pub fn exchange_names(&self, one: &str, other: &str) {
        self.unconstrained(&format!(
            "UPDATE account SET username = 'in-between' WHERE username = '{one}';
             UPDATE account SET username = '{one}' WHERE username = '{other}';
             UPDATE account SET username = '{other}' WHERE username = 'in-between'"
        ));
    }

    /// Opens a session of somebody's account with a token of one's own, as whoever has the application's connection string:
    /// the functions believe that its caller has checked a password and a code.
    pub fn write_session(&self, username: &str, token: &str) {
        let hash = stored_forms(token).pop().expect("there is one form at least");
        let hash = HEXLOWER.decode(hash.as_bytes()).unwrap();
        let step = i64::try_from(self.now()).unwrap() / 30 + 2;
        let mut application = self.application();
        let found = application.query_one(LOGIN_LOAD.statement(), &[&username]).unwrap();
        let (account, credential): (Uuid, Uuid) = (found.get("account_id"), found.get("credential_id"));
        let (first_wait_at, longest_wait, suspends_at, renewal_ttl) = (5_i64, 60_i64, 100_i64, 900_i64);
        let decided = application
            .query_one(
                LOGIN_COMMIT.statement(),
                &[
                    &account,
                    &credential,
                    &step,
                    &hash,
                    &Uuid::from_u128(7),
                    &hash,
                    &first_wait_at,
                    &longest_wait,
                    &suspends_at,
                    &renewal_ttl,
                ],
            )
            .unwrap();
        assert_eq!(decided.get::<_, &str>("outcome"), "ok");
    }

    fn unconstrained(&self, statements: &str) {
        let mut owner = self.owner();
        owner
            .batch_execute("SET session_replication_role = replica")
            .expect("the tests' owner is a superuser");
        owner.batch_execute(statements).unwrap();
    }

    /// The owner's tool with these arguments, on this database.
    #[must_use]
    pub fn ops(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(workspace::ops_binary());
        command.args(arguments).env("DATABASE_URL", self.owner_url());
        command.env_remove("SPIN_VARIABLE_SEALING_KEYS").env_remove("SEALING_KEYS_FILE");
        command
    }
}

/// An account whose row is locked.
pub struct Held {
    client: Client,
}

impl Held {
    /// Replaces a sealed value of the account that is held; good once it is let go.
    pub fn overwrite(&mut self, username: &str, which: Which, column: Column, blob: &[u8]) {
        overwrite(&mut self.client, username, which, column, blob);
    }

    /// Commits, and lets go.
    pub fn let_go(mut self) {
        self.client.batch_execute("COMMIT").unwrap();
    }
}

fn overwrite(client: &mut Client, username: &str, which: Which, column: Column, blob: &[u8]) {
    let (column, which) = (column.name(), which.condition());
    let statement = format!(
        "UPDATE credential SET {column} = $2 FROM account
         WHERE account.id = account_id AND username = $1 AND {which}"
    );
    assert_eq!(client.execute(&statement, &[&username, &blob]).unwrap(), 1);
}

/// What a program said, its status first: `0`, then stdout, then stderr.
#[must_use]
pub fn said(output: &Output) -> String {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{}\n{stdout}{stderr}", output.status.code().unwrap_or(-1))
}
