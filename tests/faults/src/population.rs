//! Accounts that nobody walks for, so that a database is as large as one that was used: each has what an account in use has.

use harness::TestDatabase;
use postgres::Client;

/// Events of each account: those of two logins a week, for six months.
pub const EVENTS_OF_EACH: i32 = 50;

/// Copies of one live credential under ids of their own, with noise of the same length for what is sealed, since that is what
/// it looks like. (Nobody logs in with it.)
const SETTLE: &str = "
WITH model AS (SELECT * FROM credential WHERE live LIMIT 1),
settler AS MATERIALIZED (
    SELECT number, gen_random_uuid() AS account_id, gen_random_uuid() AS credential_id
    FROM generate_series(1, $1::integer) AS number),
accounts AS (
    INSERT INTO account (id, username, state, credential_id)
    SELECT account_id, 'settler-' || number, 'active', credential_id FROM settler),
credentials AS (
    INSERT INTO credential (id, account_id, live, reveal_hash, reveal_expires_at, revealed_at, verifier,
        verifier_algorithm, totp_secret, last_step, expires_at)
    SELECT settler.credential_id, settler.account_id, true, sha256(settler.credential_id::text::bytea),
        reveal_expires_at, revealed_at, substring(noise FOR octet_length(verifier)), verifier_algorithm,
        substring(noise FROM 129 FOR octet_length(totp_secret)), last_step, expires_at
    FROM settler, model, LATERAL (SELECT string_agg(sha256((number || ' ' || part)::bytea), '') AS noise
        FROM generate_series(1, 8) AS part) AS noises),
sessions AS (
    INSERT INTO session (hash, id, credential_id, failed_before)
    SELECT sha256(account_id::text::bytea), gen_random_uuid(), credential_id, 0 FROM settler)
INSERT INTO event (kind, outcome, account_id)
SELECT 'login', 'ok', account_id FROM settler, generate_series(1, $2::integer)";

/// Everything that a backup has to bring back as it was: a line for each table, with how many rows it has and a hash of them.
/// The newest steps and the events of a restore are not among it, because a restore changes them.
const KEPT: &str = "
SELECT string_agg(line, chr(10) ORDER BY line) FROM (
    SELECT 'accounts ' || count(*) || ' ' || md5(string_agg(account::text, ' ' ORDER BY id)) AS line FROM account
    WHERE state <> 'pending'
    UNION ALL SELECT 'credentials ' || count(*) || ' '
        || md5(string_agg((to_jsonb(credential) - 'last_step')::text, ' ' ORDER BY id)) FROM credential WHERE live
    UNION ALL SELECT 'events ' || count(*) || ' ' || md5(string_agg(event::text, ' ' ORDER BY id)) FROM event
    WHERE kind <> 'restore'
    UNION ALL SELECT 'reserved names ' || count(*) || ' '
        || md5(string_agg(reserved_name::text, ' ' ORDER BY hash)) FROM reserved_name
    UNION ALL SELECT 'functions of releases ' || count(*) || ' '
        || md5(string_agg(release_function::text, ' ' ORDER BY release, name)) FROM release_function
    UNION ALL SELECT 'migrations ' || count(*) || ' '
        || md5(string_agg(_sqlx_migrations::text, ' ' ORDER BY version)) FROM _sqlx_migrations) AS lines";

/// What may not have survived a restore.
const OPEN: &str = "
SELECT (SELECT count(*) FROM session) + (SELECT count(*) FROM renewal_token)
    + (SELECT count(*) FROM credential WHERE NOT live) + (SELECT count(*) FROM account WHERE state = 'pending')";

/// Adds this many accounts; there has to be a live one already.
pub fn settle(database: &TestDatabase, accounts: i32) {
    let added = database.owner().execute(SETTLE, &[&accounts, &EVENTS_OF_EACH]).unwrap();
    assert_eq!(added, u64::from((accounts * EVENTS_OF_EACH).unsigned_abs()));
}

/// What a backup has to bring back as it was, to be held against the same of another database.
#[must_use]
pub fn kept(database: &TestDatabase) -> String {
    let mut owner = in_utc(database);
    owner.query_one(KEPT, &[]).unwrap().get(0)
}

/// How many sessions, tokens and starts there are.
#[must_use]
pub fn open(database: &TestDatabase) -> i64 {
    database.owner().query_one(OPEN, &[]).unwrap().get(0)
}

fn in_utc(database: &TestDatabase) -> Client {
    let mut owner = database.owner();
    owner.batch_execute("SET timezone = 'UTC'").unwrap();
    owner
}
