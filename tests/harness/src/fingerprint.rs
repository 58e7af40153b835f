//! A checksum of every table, to show that a request changed no row, of whatever table.

use std::collections::BTreeMap;

use crate::TestDatabase;

/// The content of every table of the application, by the table's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(BTreeMap<String, String>);

impl Fingerprint {
    /// The same without the events, for refusals that leave one and nothing else.
    #[must_use]
    pub fn without_events(mut self) -> Self {
        self.0.remove("event").expect("there is a table of events");
        self
    }

    /// The same without the sessions, for requests that count as a use of one and change nothing else.
    #[must_use]
    pub fn without_sessions(mut self) -> Self {
        self.0.remove("session").expect("there is a table of sessions");
        self
    }
}

impl TestDatabase {
    /// Reads every row of every table.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut client = self.owner();
        let tables = client
            .query(
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'identity' ORDER BY tablename",
                &[],
            )
            .unwrap();
        let of = |table: String| {
            let statement = format!(
                "SELECT count(*) || ':' || md5(coalesce(string_agg(md5(t::text), ',' ORDER BY md5(t::text)), '')) \
                 FROM identity.\"{table}\" t"
            );
            let checksum: String = client.query_one(&statement, &[]).unwrap().get(0);
            (table, checksum)
        };
        Fingerprint(tables.iter().map(|row| row.get(0)).map(of).collect())
    }
}
