//! What the tables say, for tests that hold it against what the answers said. It reads and changes nothing.

use crate::TestDatabase;

/// All that a name has, as rows. Of a name without an account everything is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The state of its account.
    pub state: Option<String>,
    /// Wrong codes in a row that are counted on the account.
    pub wrong_codes: i64,
    /// Whether logins have to wait.
    pub is_waiting: bool,
    /// Live credentials.
    pub live: i64,
    /// The unconfirmed credential.
    pub start: Option<StartStanding>,
    /// Sessions, also those that have ended by time.
    pub sessions: i64,
    /// Renewal tokens, also those that have ended by time.
    pub renewal_tokens: i64,
}

/// An unconfirmed credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartStanding {
    /// Whether its password was shown.
    pub is_revealed: bool,
    /// Whether it has a second factor's secret.
    pub has_secret: bool,
    /// Wrong codes in a row that are counted on it.
    pub wrong_codes: i64,
    /// Whether activations have to wait.
    pub is_waiting: bool,
    /// Whether its deadline has passed.
    pub is_over: bool,
}

/// Every row of a name, as text.
const ROWS: &str = "
WITH owner AS (SELECT * FROM account WHERE username = $1),
credentials AS (SELECT * FROM credential WHERE account_id IN (SELECT id FROM owner))
SELECT coalesce(string_agg(one, chr(10) ORDER BY one), '') FROM (
    SELECT owner::text AS one FROM owner
    UNION ALL SELECT credentials::text FROM credentials
    UNION ALL SELECT session::text FROM session WHERE credential_id IN (SELECT id FROM credentials)
    UNION ALL SELECT renewal_token::text FROM renewal_token WHERE credential_id IN (SELECT id FROM credentials)) AS rows";

const STANDING: &str = "
WITH owner AS (SELECT * FROM account WHERE username = $1),
credentials AS (SELECT * FROM credential WHERE account_id IN (SELECT id FROM owner))
SELECT (SELECT state FROM owner),
    coalesce((SELECT wrong_codes::bigint FROM owner), 0),
    coalesce((SELECT locked_until > now() FROM owner), false),
    (SELECT count(*) FROM credentials WHERE live),
    (SELECT count(*) FROM session WHERE credential_id IN (SELECT id FROM credentials)),
    (SELECT count(*) FROM renewal_token WHERE credential_id IN (SELECT id FROM credentials)),
    draft.id IS NOT NULL, draft.revealed_at IS NOT NULL, draft.totp_secret IS NOT NULL,
    coalesce(draft.wrong_codes::bigint, 0), coalesce(draft.locked_until > now(), false),
    coalesce(draft.deadline <= now(), false)
FROM (SELECT 1) AS always LEFT JOIN credentials AS draft ON NOT draft.live";

/// What may never be true, whoever asked for what in whichever order. Each row of the answer is one violation.
const VIOLATIONS: &str = "
SELECT 'several accounts of the name ' || lower(username) FROM account GROUP BY lower(username) HAVING count(*) > 1
UNION ALL SELECT 'several credentials of one kind of account ' || account_id
    FROM credential GROUP BY account_id, live HAVING count(*) > 1
UNION ALL SELECT 'account ' || account.id || ' is ' || state || ' with a live credential or without one'
    FROM account LEFT JOIN credential ON credential.account_id = account.id AND live
    WHERE (state = 'pending') <> (credential.id IS NULL) OR credential_id IS DISTINCT FROM credential.id
UNION ALL SELECT 'account ' || id || ' has nothing'
    FROM account WHERE NOT EXISTS (SELECT FROM credential WHERE account_id = account.id)
UNION ALL SELECT 'session ' || session.id || ' is not of a live credential'
    FROM session JOIN credential ON credential.id = credential_id WHERE NOT live
UNION ALL SELECT 'a renewal token is not of a live credential of account ' || account_id
    FROM renewal_token JOIN credential ON credential.id = credential_id WHERE NOT live
UNION ALL SELECT 'credential ' || id || ' has used a code from the future'
    FROM credential WHERE last_step > floor(extract(epoch FROM now()) / 30) + 1
UNION ALL SELECT 'account ' || id || ' waits without wrong codes'
    FROM account WHERE locked_until > now() AND wrong_codes < 5
UNION ALL SELECT 'two values of ' || place || ' were sealed with one key and nonce'
    FROM credential CROSS JOIN LATERAL (VALUES ('verifier', verifier), ('totp_secret', totp_secret)) AS sealed (place, blob)
    WHERE blob IS NOT NULL GROUP BY place, substring(blob FOR 2 + get_byte(blob, 1) + 12) HAVING count(*) > 1";

impl TestDatabase {
    /// What a name has.
    #[must_use]
    pub fn standing(&self, username: &str) -> Standing {
        let row = self.reader().query_one(STANDING, &[&username]).unwrap();
        let start = row.get::<_, bool>(6).then(|| StartStanding {
            is_revealed: row.get(7),
            has_secret: row.get(8),
            wrong_codes: row.get(9),
            is_waiting: row.get(10),
            is_over: row.get(11),
        });
        Standing {
            state: row.get(0),
            wrong_codes: row.get(1),
            is_waiting: row.get(2),
            live: row.get(3),
            start,
            sessions: row.get(4),
            renewal_tokens: row.get(5),
        }
    }

    /// Every row of a name but its events, to show that a request changed none.
    #[must_use]
    pub fn rows_of(&self, username: &str) -> String {
        self.reader().query_one(ROWS, &[&username]).unwrap().get(0)
    }

    /// How many rows each table has that is not the table of events.
    #[must_use]
    pub fn rows_without_events(&self) -> i64 {
        let statement = "SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM credential) \
                         + (SELECT count(*) FROM session) + (SELECT count(*) FROM renewal_token)";
        self.reader().query_one(statement, &[]).unwrap().get(0)
    }

    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> i64 {
        self.reader().query_one("SELECT count(*) FROM event", &[]).unwrap().get(0)
    }

    /// The newest event as `kind/outcome`, and the name of the account that it concerns, if any that is there.
    #[must_use]
    pub fn newest_event(&self) -> (String, Option<String>) {
        let statement = "SELECT kind || '/' || outcome, username FROM event \
             LEFT JOIN account ON account.id = event.account_id ORDER BY event.id DESC LIMIT 1";
        let row = self.reader().query_one(statement, &[]).unwrap();
        (row.get(0), row.get(1))
    }

    /// Looks through the whole database for what may never be.
    ///
    /// # Panics
    /// When it finds something.
    #[track_caller]
    pub fn assert_sound(&self) {
        let rows = self.reader().query(VIOLATIONS, &[]).unwrap();
        let violations: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(violations.is_empty(), "{violations:#?}");
    }
}
