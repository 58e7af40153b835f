//! The owner's purge: what has ended goes at its time, and what is in use stays.

use std::collections::BTreeMap;
use std::thread;

use domain::limits;
use journey::functions::PURGE;
use journey::login;
use journey::start::Renewal;
use postgres::GenericClient;
use postgres::types::ToSql;

use harness::seeded::Seeded;

use crate::race::wait_for_a_wait;
use crate::start::end_starts;
use crate::world::{World, decided, function, has_expired, is_open, tickets};

const LARGE: i64 = 10_000;
/// The twelve calendar months of the design, in UTC.
pub(crate) const TWELVE_MONTHS_AGO: &str =
    "((now() AT TIME ZONE 'UTC' - interval '12 months') AT TIME ZONE 'UTC')";
const NOTHING: &[(&str, i64)] = &[];

/// The numbers that the owner's tool gives it by default.
const fn numbers(batch: i64) -> [i64; 7] {
    [
        limits::SESSION_IDLE_SECONDS,
        limits::SESSION_TTL_SECONDS,
        limits::REFUSAL_KEPT_HOURS as i64,
        limits::EVENT_KEPT_MONTHS as i64,
        limits::EXPIRED_ACCOUNT_KEPT_MONTHS as i64,
        limits::RESERVED_NAME_MONTHS as i64,
        batch,
    ]
}

/// One call of the function, with the numbers that the owner's tool gives it by default: what it removed, kinds of which
/// it removed nothing left out.
pub(crate) fn purge(client: &mut impl GenericClient, batch: i64) -> BTreeMap<String, i64> {
    purge_with(client, &numbers(batch))
}

fn purge_with(client: &mut impl GenericClient, numbers: &[i64; 7]) -> BTreeMap<String, i64> {
    let parameters: Vec<&(dyn ToSql + Sync)> = numbers.iter().map(|number| number as _).collect();
    let rows = client.query(PURGE.statement(), &parameters).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).filter(|(_, removed)| *removed > 0).collect()
}

fn removed(parts: &[(&str, i64)]) -> BTreeMap<String, i64> {
    parts.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect()
}

/// A draft of the account of this name, as a renewal makes one.
pub(crate) fn add_draft(world: &World, name: &str) {
    world.sql(&format!(
        "INSERT INTO credential (id, account_id, live, deadline, enrollment_hash, reveal_hash, reveal_expires_at)
         SELECT gen_random_uuid(), id, false, now() + '1 hour', sha256('{name} enroll'), sha256('{name} reveal'), now()
         FROM account WHERE username = '{name}'"
    ));
}

fn expire_for_long(world: &World, name: &str) {
    world.sql(&format!(
        "UPDATE credential SET expires_at = {TWELVE_MONTHS_AGO}
         WHERE live AND account_id = (SELECT id FROM account WHERE username = '{name}')"
    ));
}

/// Each in a transaction, whose now() stands still: a microsecond before its time nothing goes, and at its time it does.
#[test]
fn each_kind_goes_at_its_time_and_not_a_microsecond_before() {
    let mut world = World::new();
    world.owner("alice");
    world.start("pending");
    add_draft(&world, "alice");
    world.sql(
        "INSERT INTO reserved_name VALUES (sha256('somebody'), now() + '1 month');
         INSERT INTO renewal_token SELECT sha256('token'), credential_id, now() + '1 hour' FROM account
         WHERE username = 'alice'",
    );
    let mut owner = world.database.owner();
    assert_eq!(purge(&mut owner, LARGE), removed(NOTHING), "nothing is due");
    for (what, due) in [
        (
            "refusals that concern no account",
            "INSERT INTO event (at, kind, outcome) VALUES (now() - interval '24 hours' + {late}, 'login', 'wrong_password')"
                .to_owned(),
        ),
        (
            "other events",
            format!(
                "INSERT INTO event (at, kind, outcome, account_id)
                 SELECT {TWELVE_MONTHS_AGO} + {{late}}, 'login', 'wrong_password', id FROM account WHERE username = 'alice'"
            ),
        ),
        // Whatever concerns no account and is no refusal.
        (
            "other events",
            format!("INSERT INTO event (at, kind, outcome) VALUES ({TWELVE_MONTHS_AGO} + {{late}}, 'login', 'ok')"),
        ),
        ("reserved names", "UPDATE reserved_name SET reserved_until = now() + {late}".to_owned()),
        ("renewal tokens", "UPDATE renewal_token SET expires_at = now() + {late}".to_owned()),
        ("sessions", "UPDATE session SET last_seen_at = now() - interval '1 hour' + {late}".to_owned()),
        ("sessions", "UPDATE session SET created_at = now() - interval '12 hours' + {late}".to_owned()),
        (
            "expired accounts",
            format!(
                "DELETE FROM credential WHERE NOT live; DELETE FROM renewal_token;
                 UPDATE credential SET expires_at = {TWELVE_MONTHS_AGO} + {{late}}"
            ),
        ),
        (
            "abandoned renewals",
            "UPDATE credential SET deadline = now() + {late} FROM account
             WHERE NOT live AND account.id = account_id AND state <> 'pending'"
                .to_owned(),
        ),
        ("pending accounts", "UPDATE account SET pending_until = now() + {late} WHERE state = 'pending'".to_owned()),
    ] {
        for (late, expected) in [("interval '1 microsecond'", removed(NOTHING)), ("interval '0'", removed(&[(what, 1)]))]
        {
            let mut transaction = owner.transaction().unwrap();
            transaction.batch_execute(&due.replace("{late}", late)).unwrap();
            assert_eq!(purge(&mut transaction, LARGE), expected, "{due} {late}");
            assert_eq!(purge(&mut transaction, LARGE), removed(NOTHING), "a second time: {due}");
        }
    }
}

#[test]
fn months_are_the_calendars_in_utc_wherever_the_owner_sits() {
    let world = World::new();
    let mut owner = world.database.owner();
    owner.batch_execute("SET timezone = 'America/New_York'").unwrap();
    // Over a year of lengths, some begin in winter and end in summer.
    for months in 1..=12_i64 {
        for (late, expected) in [
            ("interval '1 microsecond'", removed(NOTHING)),
            ("interval '0'", removed(&[("other events", 1)])),
        ] {
            let mut transaction = owner.transaction().unwrap();
            let due = format!(
                "(now() AT TIME ZONE 'UTC' - interval '{months} months') AT TIME ZONE 'UTC' + {late}"
            );
            let event = format!("INSERT INTO event (at, kind, outcome) VALUES ({due}, 'login', 'ok')");
            transaction.batch_execute(&event).unwrap();
            let mut numbers = numbers(LARGE);
            numbers[3] = months;
            assert_eq!(purge_with(&mut transaction, &numbers), expected, "{months} {late}");
        }
    }
}

#[test]
fn batches_take_the_oldest_first_until_there_is_no_more() {
    let world = World::new();
    let mut owner = world.database.owner();
    world.sql(
        "INSERT INTO event (at, kind, outcome)
         SELECT now() - make_interval(days => day), 'login', 'wrong_password' FROM generate_series(0, 10) AS day",
    );
    let kind = "refusals that concern no account";
    assert_eq!(purge(&mut owner, 4), removed(&[(kind, 4)]));
    assert_eq!(world.text("SELECT max(now() - at) < '7 days' FROM event"), "true");
    assert_eq!(purge(&mut owner, 4), removed(&[(kind, 4)]));
    assert_eq!(purge(&mut owner, 4), removed(&[(kind, 2)]));
    assert_eq!(purge(&mut owner, 4), removed(NOTHING));
    assert_eq!(world.text("SELECT count(*) FROM event"), "1", "today's");
}

#[test]
fn a_name_of_an_account_that_expired_for_long_is_reserved_for_a_year() {
    let mut world = World::new();
    world.owner("alice");
    world.owner("bob");
    // Nobody logged in since: the table still says active.
    expire_for_long(&world, "alice");
    let id = world.text("SELECT id FROM account WHERE username = 'alice'");
    assert_eq!(purge(&mut world.database.owner(), LARGE), removed(&[("expired accounts", 1)]));
    assert_eq!(world.text("SELECT string_agg(username, ',') FROM account"), "bob");
    assert_eq!(world.text("SELECT count(*) FROM credential"), "1");
    assert_eq!(world.text("SELECT count(*) FROM session"), "1");
    assert_eq!(
        world.text("SELECT string_agg(hash::text, ',') FROM reserved_name"),
        world.text("SELECT sha256('alice')")
    );
    assert_eq!(
        world.text(
            "SELECT reserved_until - now() BETWEEN interval '364 days' AND interval '366 days 1 hour' FROM reserved_name"
        ),
        "true"
    );
    let told = format!(
        "SELECT count(*) FROM event WHERE account_id = '{id}' AND kind = 'remove' AND outcome = 'expired'"
    );
    assert_eq!(world.text(&told), "1");
    let all = format!("SELECT count(*) > 1 FROM event WHERE account_id = '{id}'");
    assert_eq!(world.text(&all), "true", "its other events stay");
}

#[test]
fn who_is_suspended_or_renewing_is_not_forgotten() {
    let mut world = World::new();
    let names = ["suspended", "renewing", "about-to-renew", "forgotten"];
    for name in names {
        world.owner(name);
        expire_for_long(&world, name);
    }
    world.sql(
        "SELECT suspend_account('suspended'); UPDATE account SET state = 'expired' WHERE username = 'about-to-renew'",
    );
    add_draft(&world, "renewing");
    world.sql(
        "INSERT INTO renewal_token SELECT sha256('token'), credential_id, now() + '1 minute' FROM account
         WHERE username = 'about-to-renew'",
    );
    let mut owner = world.database.owner();
    // A batch of one: those who are kept do not stand in the way.
    assert_eq!(purge(&mut owner, 1)["expired accounts"], 1);
    let kept = "SELECT string_agg(username, ',' ORDER BY username) FROM account";
    assert_eq!(world.text(kept), "about-to-renew,renewing,suspended");
    // Once the renewals are abandoned, their accounts are as forgotten as any.
    end_starts(&world);
    world.sql("UPDATE renewal_token SET expires_at = now()");
    assert_eq!(purge(&mut owner, LARGE)["expired accounts"], 2);
    assert_eq!(world.text(kept), "suspended");
}

/// Purges, and in the moment between the look and the lock does something else. (The lock that the test holds is not in
/// the function: it is put there.)
fn purge_while(world: &mut World, between: impl FnOnce(&mut World)) -> BTreeMap<String, i64> {
    let is_forgotten = function("purge/is_forgotten.sql");
    world.sql(&format!(
        "ALTER FUNCTION {is_forgotten} RENAME TO is_forgotten_as_written;
         CREATE FUNCTION {is_forgotten}(owner account, credentials credential, expired_before timestamptz)
         RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN
             PERFORM pg_advisory_xact_lock_shared(1);
             RETURN identity.is_forgotten_as_written(owner, credentials, expired_before);
         END $$"
    ));
    let mut owner = world.database.owner();
    thread::scope(|scope| {
        // In here, so that a failure lets go.
        let mut holder = world.database.owner();
        holder.batch_execute("SELECT pg_advisory_lock(1)").unwrap();
        let run = scope.spawn(move || purge(&mut owner, LARGE));
        wait_for_a_wait(&world.database);
        between(world);
        holder.batch_execute("SELECT pg_advisory_unlock(1)").unwrap();
        run.join().unwrap()
    })
}

#[test]
fn a_login_that_comes_between_the_look_and_the_lock_has_not_been_for_nothing() {
    let mut world = World::new();
    let owner = world.owner("alice");
    // Whose credentials ended as long ago.
    world.owner("suspended");
    for name in ["alice", "suspended"] {
        expire_for_long(&world, name);
    }
    world.sql("SELECT suspend_account('suspended')");
    let step = world.next_step();
    let proof = world.right_password(&owner, Some(step));
    let removals = purge_while(&mut world, |world| {
        assert!(has_expired(&decided(login::commit(&world.app, &proof, tickets(7)))));
    });
    assert_eq!(removals, removed(NOTHING));
    let renewal = Renewal::draw(&tickets(7).renewal_token, owner.username, &mut Seeded::new(8)).unwrap();
    renewal.begin(&world.app).unwrap();
}

#[test]
fn a_renewal_that_comes_between_the_look_and_the_lock_stays() {
    let mut world = World::new();
    let owner = world.owner("alice");
    expire_for_long(&world, "alice");
    let removals = purge_while(&mut world, |world| {
        let draft = world.renew(&owner);
        let start = world.prepare(&draft);
        world.activate(&start, Some(1)).unwrap();
    });
    assert_eq!(removals, removed(NOTHING));
    assert_eq!(world.text("SELECT state FROM account"), "active");
}

#[test]
fn who_is_given_more_time_between_the_look_and_the_lock_stays() {
    let mut world = World::new();
    world.owner("alice");
    expire_for_long(&world, "alice");
    let removals = purge_while(&mut world, |world| {
        world.sql("UPDATE credential SET expires_at = now() + '1 day'");
    });
    assert_eq!(removals, removed(NOTHING));
    assert_eq!(world.text("SELECT count(*) FROM account"), "1");
}

#[test]
fn a_renewal_token_that_has_ended_keeps_no_account_even_if_a_batch_leaves_it() {
    let mut world = World::new();
    world.owner("alice");
    expire_for_long(&world, "alice");
    world.sql(
        "INSERT INTO renewal_token SELECT sha256(token), credential_id, now()
         FROM account, (VALUES ('first'::bytea), ('second')) AS tokens (token)",
    );
    assert_eq!(
        purge(&mut world.database.owner(), 1),
        removed(&[("renewal tokens", 1), ("expired accounts", 1)])
    );
}

#[test]
fn abandoned_renewals_go_one_batch_at_a_time_and_no_other_account_is_locked() {
    let mut world = World::new();
    let names = ["active", "renewing", "first", "second", "third"];
    for name in names {
        world.owner(name);
    }
    for name in ["first", "second", "third"] {
        add_draft(&world, name);
    }
    end_starts(&world);
    add_draft(&world, "renewing");
    let mut owner = world.database.owner();
    for (batch, gone, left) in [(1, 1, 2), (LARGE, 2, 0)] {
        let mut transaction = owner.transaction().unwrap();
        assert_eq!(purge(&mut transaction, batch), removed(&[("abandoned renewals", gone)]));
        world.sql("SELECT FROM account WHERE username IN ('active', 'renewing') FOR UPDATE NOWAIT");
        transaction.commit().unwrap();
        assert_eq!(world.text("SELECT count(*) - 1 FROM credential WHERE NOT live"), left.to_string());
    }
    assert_eq!(purge(&mut owner, 1), removed(NOTHING));
}

#[test]
fn expired_accounts_go_one_batch_at_a_time_and_no_other_is_locked() {
    let mut world = World::new();
    world.owner("active");
    for name in ["first", "second", "third"] {
        world.owner(name);
        expire_for_long(&world, name);
    }
    let mut owner = world.database.owner();
    assert_eq!(purge(&mut owner, 2), removed(&[("expired accounts", 2)]));
    let mut transaction = owner.transaction().unwrap();
    assert_eq!(purge(&mut transaction, LARGE), removed(&[("expired accounts", 1)]));
    world.sql("SELECT FROM account WHERE username = 'active' FOR UPDATE NOWAIT");
}

/// As PostgreSQL sees it: the row that the purge has found is another one by the time it has its lock.
#[test]
fn a_renewal_that_replaces_an_abandoned_one_in_that_moment_stays() {
    let mut world = World::new();
    world.owner("alice");
    world.sql("UPDATE account SET state = 'expired'");
    add_draft(&world, "alice");
    end_starts(&world);
    let database = &world.database;
    thread::scope(|scope| {
        let mut renewal = database.owner();
        let replaces =
            "BEGIN; UPDATE credential SET id = gen_random_uuid(), deadline = now() + '1 hour' WHERE NOT live";
        renewal.batch_execute(replaces).unwrap();
        let run = scope.spawn(|| purge(&mut database.owner(), LARGE));
        wait_for_a_wait(database);
        renewal.batch_execute("COMMIT").unwrap();
        assert_eq!(run.join().unwrap(), removed(NOTHING));
    });
    assert_eq!(world.text("SELECT count(*) FROM credential WHERE NOT live"), "1");
}

#[test]
fn what_is_in_use_is_left_for_the_next_call() {
    let mut world = World::new();
    for name in ["idle", "forgotten", "renewing"] {
        world.owner(name);
    }
    world.start("pending");
    world.sql("UPDATE account SET state = 'expired' WHERE username = 'renewing'");
    add_draft(&world, "renewing");
    end_starts(&world);
    expire_for_long(&world, "forgotten");
    world.sql(
        "INSERT INTO event (at, kind, outcome) VALUES
             (now() - interval '2 days', 'login', 'wrong_password'), (now() - interval '2 years', 'login', 'ok');
         INSERT INTO reserved_name VALUES (sha256('somebody'), now());
         INSERT INTO renewal_token SELECT sha256('token'), credential_id, now() FROM account WHERE username = 'renewing';
         UPDATE session SET last_seen_at = now() - interval '1 hour'",
    );
    let mut owner = world.database.owner();
    owner.batch_execute("SET lock_timeout = '1s'").unwrap();
    let mut user = world.database.owner();
    user.batch_execute("BEGIN").unwrap();
    for table in ["event", "reserved_name", "renewal_token", "session", "account"] {
        user.batch_execute(&format!("SELECT FROM {table} FOR UPDATE")).unwrap();
    }
    assert_eq!(purge(&mut owner, LARGE), removed(NOTHING), "it waits for nobody");
    user.batch_execute("COMMIT").unwrap();
    assert_eq!(purge(&mut owner, LARGE).len(), 8, "each kind");
}

#[test]
fn after_a_flood_of_starts_that_nobody_finished_their_events_are_left_and_after_a_day_those_of_the_accounts()
{
    const FLOOD: u64 = 2_000;
    let mut world = World::new();
    let active = world.owner("alice");
    let before = world.text("SELECT count(*) FROM event");
    for number in 0..FLOOD {
        // Every tenth asks for a name that was taken a moment ago.
        let name = format!("flood-{}", if number % 10 == 9 { number - 1 } else { number });
        assert_eq!(world.try_start(&name), number % 10 != 9);
    }
    let mut owner = world.database.owner();
    assert_eq!(purge(&mut owner, LARGE), removed(NOTHING), "they may still be finished");
    end_starts(&world);
    assert_eq!(purge(&mut owner, LARGE), removed(&[("pending accounts", 1_800)]));
    assert_eq!(world.text("SELECT count(*) FROM account"), "1");
    assert_eq!(world.text("SELECT count(*) FROM credential"), "1");
    let events = format!("SELECT count(*) - {before} FROM event");
    assert_eq!(world.text(&events), FLOOD.to_string());
    world.sql("UPDATE event SET at = now() - interval '24 hours' WHERE account_id IS NULL");
    assert_eq!(purge(&mut owner, LARGE), removed(&[("refusals that concern no account", 200)]));
    assert_eq!(world.text(&events), "1800");
    assert!(is_open(&world.app, &active.session));
}

#[test]
fn what_ends_by_wrong_codes_goes_like_what_ends_by_the_clock() {
    let mut world = World::new();
    let draft = world.start("alice").draft;
    world.prepare(&draft);
    for _ in 0..limits::GUESSING_ENDS_START_AT_WRONG_CODES {
        world.sql("UPDATE credential SET locked_until = NULL");
        let start = world.open(&draft.enrollment_token);
        world.activate(&start, None).unwrap_err();
    }
    assert_eq!(world.events("activate", "wrong_code_ends_start"), 1);
    assert_eq!(purge(&mut world.database.owner(), LARGE), removed(&[("pending accounts", 1)]));
}

#[test]
fn a_number_that_would_remove_everything_is_refused() {
    let world = World::new();
    world.sql("INSERT INTO event (at, kind, outcome) VALUES ('-infinity', 'login', 'wrong_password')");
    let mut owner = world.database.owner();
    let purge = function("purge/purge.sql");
    for position in 0..7 {
        for number in ["0", "-1", "NULL"] {
            let mut numbers = numbers(100).map(|number| number.to_string());
            number.clone_into(&mut numbers[position]);
            let call = format!("SELECT {purge}({})", numbers.join(", "));
            let error = owner.batch_execute(&call).unwrap_err();
            assert!(error.as_db_error().unwrap().message().contains("1 or more"), "{call}");
        }
    }
    assert_eq!(world.text("SELECT count(*) FROM event"), "1");
}
