//! Counts the statements that the application role sends, by `pg_stat_statements`, which the test PostgreSQL preloads.

use crate::TestDatabase;
use crate::database::APPLICATION_ROLE;

impl TestDatabase {
    /// Runs something and says how many statements the application sent meanwhile. Nothing else may use the
    /// database's app in that time.
    pub fn count_statements<T>(&self, run: impl FnOnce() -> T) -> (T, i64) {
        let before = self.statements();
        let result = run();
        (result, self.statements() - before)
    }

    /// All that the application role has sent to this database. What the pool sends to clean a connection is Spin's,
    /// not the application's; most of it is no query and not recorded.
    fn statements(&self) -> i64 {
        let mut owner = self.owner();
        owner.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").expect(
            "the test PostgreSQL preloads pg_stat_statements (shared_preload_libraries, pg_stat_statements.track_utility=off)",
        );
        let statement = "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements \
                         JOIN pg_database ON pg_database.oid = dbid JOIN pg_roles ON pg_roles.oid = userid \
                         WHERE datname = current_database() AND rolname = $1 \
                         AND query NOT ILIKE '%pg_advisory_unlock_all%'";
        owner.query_one(statement, &[&APPLICATION_ROLE]).unwrap().get(0)
    }
}
