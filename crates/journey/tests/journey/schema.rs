//! What may never be true is refused by the schema, and what the application may never do by its grants.

use std::cell::Cell;

use store::{Database, Error, Row, StatementError, Value};

use crate::journey::World;

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

#[test]
fn the_application_owns_nothing_and_leaves_events_alone() {
    const INSUFFICIENT_PRIVILEGE: &str = "42501";
    let mut world = World::new();
    world.owner("alice");
    let mut application = world.database.application();
    for statement in [
        "UPDATE event SET outcome = 'ok'",
        "DELETE FROM event",
        "TRUNCATE event",
        "INSERT INTO event (at, kind, outcome) VALUES (now() - '1 year'::interval, 'login', 'ok')",
        "ALTER TABLE account ADD COLUMN extra text",
        "DROP TABLE session",
        "CREATE TABLE extra (id bigint)",
        "ALTER TABLE credential DISABLE TRIGGER ALL",
        "UPDATE account SET username = 'mallory'",
        "UPDATE session SET created_at = now()",
        "SELECT release_account('alice')",
        "SELECT suspend_account('alice')",
        "SELECT delete_account('alice')",
        "SELECT forget_an_ended_reservation()",
        "UPDATE reserved_name SET reserved_until = now()",
        "DELETE FROM reserved_name",
        "TRUNCATE reserved_name",
        "ALTER TABLE account DISABLE TRIGGER account_username_is_not_reserved",
        "SELECT purge(3600, 43200, 24, 12, 12, 12, 100)",
        "SELECT close_after_restore()",
        "SELECT is_forgotten(account, credential, now()) FROM account, credential",
        "SET ROLE pg_read_all_data",
    ] {
        assert_eq!(refusal(&mut application, statement), INSUFFICIENT_PRIVILEGE, "{statement}");
    }
    // What a function would be refused anyway it may not even call.
    let may_call = "SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND has_function_privilege('cofrap_app', oid, 'EXECUTE')";
    assert_eq!(
        world.text(may_call),
        "failed_logins_since name_hash newest_events refuse_a_reserved_name refuse_a_step_that_does_not_grow \
         wait_after_wrong_codes"
    );
    // Neither does it by a cascade.
    let events = world.text("SELECT count(*) FROM event");
    application.batch_execute("DELETE FROM account").unwrap();
    assert_eq!(world.text("SELECT count(*) FROM event"), events);
}

/// It runs as the owner, so whoever calls may not choose its tables by a search path.
#[test]
fn a_reservation_looks_for_an_ended_one_in_the_table_of_the_service_whatever_the_path_of_its_caller() {
    let world = World::new();
    world.sql("INSERT INTO reserved_name VALUES (sha256('alice'), now()), (sha256('bob'), now())");
    let mut application = world.database.application();
    let reserve = "SET search_path = pg_catalog;
        INSERT INTO public.reserved_name VALUES (sha256('alice'), now() + '1 year')";
    application.batch_execute(reserve).unwrap();
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

    fn execute(&self, statement: &str, parameters: &[Value]) -> Result<u64, StatementError> {
        self.query(statement, parameters).map(|_| 0)
    }
}

#[test]
fn a_statement_is_repeated_when_postgresql_asks_for_it_and_three_times_at_the_most() {
    for (sqlstate, times) in [("40001", 3), ("40P01", 3), ("57014", 1), ("25006", 1)] {
        let database = Refusing { sqlstate, asked: Cell::new(0) };
        let refused = store::health::check(&database);
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        assert_eq!(database.asked.get(), times, "{sqlstate}");
    }
}

#[test]
fn a_violated_constraint_is_named_and_a_row_that_makes_no_sense_is_found() {
    let mut world = World::new();
    let account = world.start("alice");
    let again =
        domain::journey::start::NewAccount { account_id: account.account_id, ..world.new_account("bob") };
    let conflict = store::start::create_account(&world.store, &again);
    assert_eq!(conflict, Err(Error::Conflict { constraint: "account_pkey".to_owned() }));

    world.reveal(&account.draft.reveal_token);
    world.sql("UPDATE credential SET verifier_algorithm = 2");
    let unknown = store::start::load(&world.store, &account.draft.enrollment_token.hash());
    assert!(matches!(unknown, Err(Error::Inconsistent { table: "credential", .. })), "{unknown:?}");
}
