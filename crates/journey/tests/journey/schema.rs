//! What may never be true is refused by the schema, and what the application may never do by its grants.

use std::cell::Cell;

use domain::UnixTime;
use journey::start::{self, NewAccount};
use journey::{Database, Error, Row, StatementError, Stop, Value, health};

use crate::world::World;

/// The constraint or SQLSTATE that refuses a statement of the owner, who may do anything else.
fn refusal(client: &mut postgres::Client, statement: &str) -> String {
    let error = client.batch_execute(statement).expect_err(statement);
    let error = error.as_db_error().expect(statement);
    error.constraint().map_or_else(|| error.code().code().to_owned(), str::to_owned)
}

#[test]
fn what_may_never_be_true_is_refused_whoever_writes_it() {
    let mut world = World::new();
    world.owner("alice");
    world.owner("bob");
    world.start("carol");
    world.sql("INSERT INTO reserved_name VALUES (name_hash('dave'), now() + '12 months')");
    let of = |name: &str| format!("(SELECT id FROM account WHERE username = '{name}')");
    let (alice, bob, carol) = (of("alice"), of("bob"), of("carol"));
    let mut owner = world.database.owner();
    for (constraint, statement) in [
        // Two live credentials.
        (
            "credential_one_live_per_account",
            format!("UPDATE credential SET account_id = {alice} WHERE account_id = {bob}"),
        ),
        // An active account without a confirmed second factor.
        (
            "account_activated_has_a_credential",
            "UPDATE account SET state = 'active', pending_until = NULL WHERE username = 'carol'".to_owned(),
        ),
        (
            "account_credential_is_its_own_and_live",
            format!(
                "UPDATE account SET state = 'active', pending_until = NULL,
                    credential_id = (SELECT id FROM credential WHERE account_id = {carol}) WHERE username = 'carol'"
            ),
        ),
        (
            "account_credential_is_its_own_and_live",
            "UPDATE account SET credential_id = (SELECT credential_id FROM account WHERE username = 'bob')
                WHERE username = 'alice'"
                .to_owned(),
        ),
        ("account_credential_is_its_own_and_live", format!("DELETE FROM credential WHERE account_id = {alice}")),
        ("credential_live_is_complete", format!("UPDATE credential SET totp_secret = NULL WHERE account_id = {alice}")),
        ("credential_live_is_complete", format!("UPDATE credential SET live = true WHERE account_id = {carol}")),
        (
            "credential_secret_follows_the_reveal",
            format!("UPDATE credential SET totp_secret = '' WHERE account_id = {carol}"),
        ),
        (
            "credential_unconfirmed_is_a_start",
            format!("UPDATE credential SET reveal_expires_at = deadline + '1 s' WHERE account_id = {carol}"),
        ),
        // A reused step.
        (
            "credential_step_only_grows",
            format!("UPDATE credential SET last_step = last_step WHERE account_id = {alice}"),
        ),
        (
            "credential_step_only_grows",
            format!("UPDATE credential SET last_step = last_step - 1 WHERE account_id = {alice}"),
        ),
        ("account_username_is_canonical", "UPDATE account SET username = 'Alice' WHERE username = 'alice'".to_owned()),
        ("account_username_is_free", "UPDATE account SET username = 'bob' WHERE username = 'alice'".to_owned()),
        // A name that is reserved, and a reservation that another one would shorten.
        (
            "account_username_is_free",
            "INSERT INTO account (id, username, state, pending_until)
                VALUES (gen_random_uuid(), 'dave', 'pending', now() + '1 min')"
                .to_owned(),
        ),
        (
            "reserved_name_pkey",
            "INSERT INTO reserved_name VALUES (name_hash('dave'), now() + '1 min')".to_owned(),
        ),
        ("reserved_name_hash_is_sha256", "INSERT INTO reserved_name VALUES ('dave', now() + '1 min')".to_owned()),
    ] {
        assert_eq!(refusal(&mut owner, &statement), constraint, "{statement}");
    }
}

/// Only of what no code can be accepted now, neither before nor after: what is accepted is newer, whoever forgets to look.
#[test]
fn a_step_goes_back_from_the_future_alone_and_stays_out_of_reach() {
    let mut world = World::new();
    world.owner("alice");
    let mut owner = world.database.owner();
    let mut set = |step: &str| owner.batch_execute(&format!("UPDATE credential SET last_step = {step}"));
    set("last_step_in_reach() + 1000").unwrap();
    set("last_step_in_reach() + 2").unwrap();
    set("last_step_in_reach() + 1000").unwrap();
    for (before, after) in [
        ("last_step_in_reach() + 1000", "last_step_in_reach()"),
        ("last_step_in_reach() + 1000", "last_step_in_reach() - 1000"),
        ("last_step_in_reach() + 1000", "last_step"),
        ("last_step_in_reach() + 1000", "NULL"),
        ("last_step_in_reach()", "last_step"),
        ("last_step_in_reach()", "last_step - 1"),
    ] {
        for _ in 0..2 {
            world.database.time_travel().forget_used_steps("alice");
        }
        set(before).unwrap();
        let refused = set(after).unwrap_err();
        let constraint = refused.as_db_error().unwrap().constraint();
        assert_eq!(constraint, Some("credential_step_only_grows"), "from {before} to {after}");
    }
}

#[test]
fn the_application_owns_nothing_and_leaves_events_alone() {
    const INSUFFICIENT_PRIVILEGE: &str = "42501";
    let mut world = World::new();
    world.owner("alice");
    let mut application = world.database.application();
    for statement in [
        "UPDATE identity.event SET outcome = 'ok'",
        "DELETE FROM identity.event",
        "TRUNCATE identity.event",
        "INSERT INTO identity.event (kind, outcome) VALUES ('login', 'ok')",
        "SELECT FROM identity.account FOR KEY SHARE",
        "COPY identity.credential TO STDOUT",
        "DO 'BEGIN LOCK TABLE identity.account IN ACCESS SHARE MODE; END'",
        "ALTER TABLE identity.account ADD COLUMN extra text",
        "DROP TABLE identity.session",
        "DROP FUNCTION identity.name_hash(text)",
        "CREATE TABLE identity.extra (id bigint)",
        "CREATE TABLE public.extra (id bigint)",
        "CREATE FUNCTION identity.extra() RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA extra",
        "ALTER TABLE identity.credential DISABLE TRIGGER ALL",
        "SELECT identity.release_account('alice')",
        "SELECT identity.suspend_account('alice')",
        "SELECT identity.delete_account('alice')",
        "SELECT identity.close_after_restore()",
        "SET ROLE pg_read_all_data",
        "SET ROLE cofrap_owner",
    ] {
        assert_eq!(refusal(&mut application, statement), INSUFFICIENT_PRIVILEGE, "{statement}");
    }
    // Neither does anybody by a cascade.
    let events = world.text("SELECT count(*) FROM event");
    world.sql("DELETE FROM account");
    assert_eq!(world.text("SELECT count(*) FROM event"), events);
}

#[test]
fn a_reservation_looks_for_an_ended_one_in_the_table_of_the_service_whatever_the_path_of_its_caller() {
    let world = World::new();
    world.sql("INSERT INTO reserved_name VALUES (sha256('alice'), now()), (sha256('bob'), now())");
    for path in ["pg_catalog", "pg_temp, elsewhere"] {
        world.sql(&format!(
            "CREATE TEMPORARY TABLE reserved_name (LIKE identity.reserved_name);
             SET search_path = {path};
             INSERT INTO identity.reserved_name VALUES (sha256('alice'), now() + '1 year');
             UPDATE identity.reserved_name SET reserved_until = now() WHERE hash = sha256('alice')"
        ));
    }
    world.sql("INSERT INTO reserved_name VALUES (sha256('alice'), now() + '1 year')");
    let ended = "SELECT string_agg((hash = sha256('bob'))::text, ' ') FROM reserved_name WHERE reserved_until <= now()";
    assert_eq!(world.text(ended), "true", "that of its own name went, and no other");
}

#[test]
fn the_role_bounds_what_a_guest_cannot() {
    let world = World::new();
    let mut application = world.database.application();
    let mut setting = |name: &str| -> String {
        application.query_one(&format!("SELECT current_setting('{name}')"), &[]).unwrap().get(0)
    };
    assert_eq!(setting("statement_timeout"), "5s");
    assert_eq!(setting("idle_in_transaction_session_timeout"), "5s");
    assert_eq!(setting("default_transaction_isolation"), "read committed");
}

/// Refuses every statement with one SQLSTATE and counts how often it was asked.
struct Refusing {
    sqlstate: &'static str,
    asked: Cell<u32>,
}

impl Database for Refusing {
    fn query(&self, _statement: &str, _parameters: &[Value]) -> Result<Vec<Row>, StatementError> {
        self.asked.set(self.asked.get() + 1);
        Err(StatementError::Refused {
            sqlstate: self.sqlstate.to_owned(),
            message: "refused".to_owned(),
            constraint: None,
        })
    }
}

#[test]
fn a_statement_is_repeated_when_postgresql_asks_for_it_and_three_times_at_the_most() {
    for (sqlstate, times) in [("40001", 3), ("40P01", 3), ("57014", 1), ("25006", 1)] {
        let database = Refusing { sqlstate, asked: Cell::new(0) };
        let refused = health::check(&database, || UnixTime::from_seconds(0));
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        assert_eq!(database.asked.get(), times, "{sqlstate}");
    }
}

#[test]
fn a_violated_constraint_is_named_and_a_row_that_makes_no_sense_is_found() {
    let mut world = World::new();
    let account = world.start("alice");
    let again = NewAccount { account_id: account.account_id, ..world.new_account("bob") };
    let conflict = Error::Conflict { constraint: "account_pkey".to_owned() };
    assert_eq!(again.create(&world.app), Err(Stop::Fault(conflict)));

    world.reveal(&account.draft.reveal_token);
    world.sql("UPDATE credential SET verifier_algorithm = 2");
    let unknown = start::load(&world.app, &account.draft.enrollment_token.hash());
    assert!(matches!(unknown, Err(Error::Inconsistent { table: "credential", .. })), "{unknown:?}");
}
