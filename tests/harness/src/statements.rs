//! Counts the statements that the application role sends, and those within the functions that it calls, by
//! `pg_stat_statements`, which the test PostgreSQL preloads.

use crate::TestDatabase;
use crate::database::APPLICATION_ROLE;

/// What the application role has sent. What the pool sends to clean a connection is Spin's, not the application's; most of
/// it is no query and not recorded.
const SENT: &str = "toplevel AND rolname = $1 AND query NOT ILIKE '%pg_advisory_unlock_all%'";

/// What functions and triggers have run, as whoever owns the schema. `FROM ONLY` is how foreign keys look, which PostgreSQL
/// does by itself.
const NESTED: &str = "NOT toplevel AND rolname <> $1 AND query NOT LIKE '%FROM ONLY%'";

impl TestDatabase {
    /// Runs something and says how many statements the application sent meanwhile. Nothing else may use the
    /// database's app in that time.
    pub fn count_statements<T>(&self, run: impl FnOnce() -> T) -> (T, i64) {
        let before = self.calls(SENT);
        let result = run();
        (result, self.calls(SENT) - before)
    }

    /// Counts what functions run too, on connections that are made from now on.
    pub fn track_nested(&self) {
        let track = format!("ALTER DATABASE {} SET pg_stat_statements.track = 'all'", self.name());
        self.owner().batch_execute(&track).expect("the test PostgreSQL preloads pg_stat_statements");
    }

    /// Runs something and says how many statements functions ran meanwhile, on connections that
    /// [`track_nested`](Self::track_nested) came before.
    pub fn count_nested<T>(&self, run: impl FnOnce() -> T) -> (T, i64) {
        let before = self.calls(NESTED);
        let result = run();
        (result, self.calls(NESTED) - before)
    }

    fn calls(&self, condition: &str) -> i64 {
        let mut owner = self.owner();
        owner.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").expect(
            "the test PostgreSQL preloads pg_stat_statements (shared_preload_libraries, pg_stat_statements.track_utility=off)",
        );
        let statement = format!(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements \
             JOIN pg_database ON pg_database.oid = dbid JOIN pg_roles ON pg_roles.oid = userid \
             WHERE datname = current_database() AND {condition}"
        );
        owner.query_one(&statement, &[&APPLICATION_ROLE]).unwrap().get(0)
    }
}
