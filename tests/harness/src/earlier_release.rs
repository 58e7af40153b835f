//! A database as a release before the schema `identity` left it: its migrations, where the search path leads, and its ledger.

use std::fs;

use postgres::Client;

use crate::workspace;

/// All that such a release had.
const MIGRATIONS: [&str; 4] = ["0001_identity", "0002_own_account", "0003_purge", "0004_restore"];

/// As the migrator of that release made it.
const LEDGER: &str = "CREATE TABLE _sqlx_migrations (
    version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(),
    success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL)";

/// A row of each table: somebody who started, and somebody who has everything that an account can have.
const PEOPLE: &str = "
INSERT INTO account (id, username, state, pending_until)
VALUES (gen_random_uuid(), 'pending', 'pending', now() + interval '10 minutes');
WITH ids AS (SELECT gen_random_uuid() AS account_id, gen_random_uuid() AS credential_id),
account AS (
    INSERT INTO account (id, username, state, credential_id) SELECT account_id, 'active', 'active', credential_id FROM ids),
credential AS (
    INSERT INTO credential (id, account_id, live, reveal_hash, reveal_expires_at, revealed_at, verifier,
        verifier_algorithm, totp_secret, last_step, expires_at)
    SELECT credential_id, account_id, true, sha256('reveal'), now(), now(), sha256('verifier'), 1, sha256('secret'), 1,
        now() + interval '1 month' FROM ids),
token AS (INSERT INTO renewal_token (hash, credential_id, expires_at) SELECT sha256('renewal'), credential_id, now() FROM ids)
INSERT INTO session (hash, id, credential_id, failed_before)
SELECT sha256('session'), gen_random_uuid(), credential_id, 0 FROM ids;
INSERT INTO event (kind, outcome) VALUES ('login', 'wrong_password');
INSERT INTO reserved_name (hash, reserved_until) VALUES (name_hash('reserved'), now() + interval '1 month')";

/// Makes what that release's `migrate` made, as the owner who is connected. The application's role has to be there.
pub fn install(owner: &mut Client) {
    owner.batch_execute(LEDGER).unwrap();
    for (version, name) in (1_i64..).zip(MIGRATIONS) {
        let file = workspace::root().join("migrations").join(format!("{name}.sql"));
        let text = fs::read_to_string(file).unwrap();
        owner.batch_execute(&text).expect("PostgreSQL takes a migration of then");
        let record = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES ($1, $2, true, sha384(convert_to($3, 'UTF8')), 0)";
        owner.execute(record, &[&version, &name, &text]).unwrap();
    }
}

/// Adds a row to each of these tables, as a superuser: without the triggers, one of which finds its table in `public` only.
pub fn add_people(superuser: &mut Client, schema: &str) {
    let statements = format!(
        "BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL search_path = {schema}; {PEOPLE}; COMMIT"
    );
    superuser.batch_execute(&statements).unwrap();
}
