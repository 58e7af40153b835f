//! The log of the test PostgreSQL, as far as it is about one database.

use crate::TestDatabase;
use crate::database::APPLICATION_ROLE;

/// What PostgreSQL can be told to write about a statement. (It can print plans too, which hold no value that the
/// parameters do not.)
const MOST_TALKATIVE: [&str; 7] = [
    "log_statement = 'all'",
    "log_min_duration_statement = 0",
    "log_duration = on",
    "log_min_messages = 'debug1'",
    "log_error_verbosity = 'verbose'",
    "log_parameter_max_length = -1",
    "log_parameter_max_length_on_error = -1",
];

impl TestDatabase {
    /// Has the server write all that it can about every connection to this database from now on, but for what the
    /// application role's own settings keep from it.
    pub fn log_everything(&self) {
        for setting in MOST_TALKATIVE {
            self.owner().batch_execute(&format!("ALTER DATABASE {} SET {setting}", self.name())).unwrap();
        }
    }

    /// Takes back, for this database, what the application role's settings keep from the log.
    pub fn log_parameters_too(&self) {
        for setting in ["log_parameter_max_length = -1", "log_parameter_max_length_on_error = -1"] {
            let statement =
                format!("ALTER ROLE {APPLICATION_ROLE} IN DATABASE {} SET {setting}", self.name());
            self.owner().batch_execute(&statement).unwrap();
        }
    }

    /// What the server has written about the application's connections to this database. `scripts/postgres`, which starts it, keeps the log beside the
    /// data and has each entry begin with the time and `user@database`.
    #[must_use]
    pub fn server_log(&self) -> String {
        let statement =
            "SELECT pg_read_binary_file(regexp_replace(current_setting('data_directory'), '[^/]+$', 'log'))";
        let log: Vec<u8> =
            self.owner().query_one(statement, &[]).expect("the tests' owner is a superuser").get(0);
        let (about_us, mut text) = (format!(" {APPLICATION_ROLE}@{} ", self.name()), String::new());
        let mut ours = false;
        for line in String::from_utf8_lossy(&log).lines() {
            // The lines of an entry that follow its first one begin with a tab.
            if !line.starts_with('\t') {
                ours = line.contains(&about_us);
            }
            if ours {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }

    /// The texts of all statements that the server remembers of this database, with all that stands in them.
    #[must_use]
    pub fn remembered_statements(&self) -> String {
        let mut owner = self.owner();
        owner.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").unwrap();
        let statement = "SELECT coalesce(string_agg(query, ';'), '') FROM pg_stat_statements
             JOIN pg_database ON pg_database.oid = dbid WHERE datname = current_database()";
        owner.query_one(statement, &[]).unwrap().get(0)
    }
}
