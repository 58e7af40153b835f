//! Every constraint, and every part of one, refuses something that nothing else refuses.

use postgres::Client;

use crate::world::World;

/// What refuses a statement of the owner: a constraint by its name, or a column that may not be NULL.
fn refusal(owner: &mut Client, statement: &str) -> String {
    let Err(error) = owner.batch_execute(statement) else { return "nothing".to_owned() };
    let error = error.as_db_error().expect(statement);
    let column = || format!("{}.{}", error.table().unwrap_or("?"), error.column().unwrap_or("?"));
    error.constraint().map_or_else(column, str::to_owned)
}

/// Alice and bob are active, alice with a renewal token; carol, dave and erin have started, and erin has a password and a
/// secret. A statement names them in braces.
fn world() -> World {
    let mut world = World::new();
    world.owner("alice");
    world.owner("bob");
    world.start("carol");
    world.start("dave");
    let erin = world.start("erin");
    world.reveal(&erin.draft.reveal_token);
    world.enroll(&erin.draft.enrollment_token);
    world.sql(&with_names(
        "INSERT INTO renewal_token (hash, credential_id, expires_at)
         SELECT sha256('renewal'), id, now() FROM credential WHERE account_id = {alice};
         INSERT INTO reserved_name VALUES (sha256('somebody'), now())",
    ));
    world
}

fn with_names(statement: &str) -> String {
    ["alice", "bob", "carol", "dave", "erin"].iter().fold(statement.to_owned(), |text, name| {
        text.replace(&format!("{{{name}}}"), &format!("(SELECT id FROM account WHERE username = '{name}')"))
    })
}

fn hold(table: &[(&str, &str)]) {
    let world = world();
    let mut owner = world.database.owner();
    for (constraint, statement) in table {
        assert_eq!(refusal(&mut owner, &with_names(statement)), *constraint, "{statement}");
    }
}

#[test]
fn what_is_needed_is_never_missing() {
    let world = world();
    let mut owner = world.database.owner();
    for (table, columns) in [
        ("account", "username state created_at wrong_codes"),
        ("credential", "account_id live revision reveal_hash reveal_expires_at wrong_codes"),
        ("session", "id credential_id created_at last_seen_at failed_before"),
        ("renewal_token", "credential_id expires_at"),
        ("event", "at kind outcome"),
        ("reserved_name", "reserved_until"),
    ] {
        for column in columns.split(' ') {
            let statement = format!("UPDATE {table} SET {column} = NULL");
            assert_eq!(refusal(&mut owner, &statement), format!("{table}.{column}"));
        }
    }
}

#[test]
fn an_account_is_in_one_known_state_with_what_belongs_to_it() {
    hold(&[
        ("account_state_is_known", "UPDATE account SET state = 'closed' WHERE id = {alice}"),
        ("account_wrong_codes_are_counted", "UPDATE account SET wrong_codes = -1 WHERE id = {alice}"),
        ("account_pending_has_a_deadline", "UPDATE account SET pending_until = now() WHERE id = {alice}"),
        ("account_pending_has_a_deadline", "UPDATE account SET pending_until = NULL WHERE id = {carol}"),
    ]);
}

#[test]
fn a_start_has_its_tokens_and_its_deadline_and_nothing_of_what_is_confirmed() {
    hold(&[
        (
            "credential_one_unconfirmed_per_account",
            "UPDATE credential SET account_id = {carol} WHERE account_id = {dave}",
        ),
        (
            "credential_account_id_fkey",
            "UPDATE credential SET account_id = gen_random_uuid() WHERE account_id = {carol}",
        ),
        (
            "credential_enrollment_hash_is_unique",
            "UPDATE credential SET enrollment_hash = sha256('same') WHERE account_id IN ({carol}, {dave})",
        ),
        (
            "credential_enrollment_hash_is_sha256",
            "UPDATE credential SET enrollment_hash = 'short' WHERE account_id = {carol}",
        ),
        (
            "credential_reveal_hash_is_unique",
            "UPDATE credential SET reveal_hash = sha256('same') WHERE account_id IN ({alice}, {carol})",
        ),
        (
            "credential_reveal_hash_is_sha256",
            "UPDATE credential SET reveal_hash = 'short' WHERE account_id = {carol}",
        ),
        (
            "credential_wrong_codes_are_counted",
            "UPDATE credential SET wrong_codes = -1 WHERE account_id = {carol}",
        ),
        (
            "credential_revealed_has_a_verifier",
            "UPDATE credential SET revealed_at = now() WHERE account_id = {carol}",
        ),
        (
            "credential_revealed_has_a_verifier",
            "UPDATE credential SET verifier_algorithm = 1 WHERE account_id = {carol}",
        ),
        (
            "credential_unconfirmed_is_a_start",
            "UPDATE credential SET enrollment_hash = NULL WHERE account_id = {carol}",
        ),
        (
            "credential_unconfirmed_is_a_start",
            "UPDATE credential SET deadline = NULL WHERE account_id = {carol}",
        ),
        (
            "credential_unconfirmed_is_a_start",
            "UPDATE credential SET last_step = 1 WHERE account_id = {carol}",
        ),
        (
            "credential_unconfirmed_is_a_start",
            "UPDATE credential SET expires_at = now() WHERE account_id = {carol}",
        ),
    ]);
}

#[test]
fn a_live_credential_is_complete_and_no_start_any_more() {
    hold(&[
        (
            "credential_live_is_complete",
            "UPDATE credential SET verifier = NULL, verifier_algorithm = NULL, revealed_at = NULL WHERE account_id = {alice}",
        ),
        (
            "credential_live_is_complete",
            "UPDATE credential SET totp_secret = NULL WHERE account_id = {alice}",
        ),
        (
            "credential_live_is_complete",
            "UPDATE credential SET live = true, expires_at = now(), enrollment_hash = NULL, deadline = NULL
             WHERE account_id = {erin}",
        ),
        ("credential_live_is_complete", "UPDATE credential SET expires_at = NULL WHERE account_id = {alice}"),
        (
            "credential_live_is_complete",
            "UPDATE credential SET enrollment_hash = sha256('new') WHERE account_id = {alice}",
        ),
        ("credential_live_is_complete", "UPDATE credential SET deadline = now() WHERE account_id = {alice}"),
        ("credential_live_is_complete", "UPDATE credential SET wrong_codes = 1 WHERE account_id = {alice}"),
        (
            "credential_live_is_complete",
            "UPDATE credential SET locked_until = now() WHERE account_id = {alice}",
        ),
        ("credential_step_only_grows", "UPDATE credential SET last_step = NULL WHERE account_id = {alice}"),
    ]);
}

#[test]
fn a_session_and_a_renewal_token_are_one_of_a_kind_and_belong_to_a_credential() {
    hold(&[
        (
            "session_pkey",
            "INSERT INTO session (hash, id, credential_id, failed_before)
             SELECT hash, gen_random_uuid(), credential_id, 0 FROM session",
        ),
        ("session_hash_is_sha256", "UPDATE session SET hash = 'short'"),
        (
            "session_id_is_unique",
            "INSERT INTO session (hash, id, credential_id, failed_before)
             SELECT sha256(hash), id, credential_id, 0 FROM session",
        ),
        ("session_credential_id_fkey", "UPDATE session SET credential_id = gen_random_uuid()"),
        ("renewal_token_pkey", "INSERT INTO renewal_token SELECT * FROM renewal_token"),
        ("renewal_token_hash_is_sha256", "UPDATE renewal_token SET hash = 'short'"),
        ("renewal_token_credential_id_fkey", "UPDATE renewal_token SET credential_id = gen_random_uuid()"),
    ]);
}

#[test]
fn an_event_is_of_a_known_kind_and_outcome() {
    hold(&[
        (
            "event_pkey",
            "INSERT INTO event (id, kind, outcome) OVERRIDING SYSTEM VALUE SELECT id, kind, outcome FROM event",
        ),
        ("event_kind_is_known", "UPDATE event SET kind = 'guess'"),
        ("event_outcome_is_known", "UPDATE event SET outcome = 'perhaps'"),
    ]);
}
