//! What an account's owner is shown of it.

use domain::limits::{EVENTS_SHOWN, OLDER_EVENTS_COUNTED};
use domain::{AccountId, Step, UnixTime};
use journey::account::{self, OwnAccount, OwnEvent};

use crate::world::{Owner, World};

fn seconds(world: &World, expression: &str) -> UnixTime {
    let text = world.text(&format!("SELECT floor(extract(epoch FROM {expression}))::bigint FROM account"));
    UnixTime::from_seconds(text.parse().unwrap())
}

fn load(world: &World, owner: &Owner) -> OwnAccount {
    account::load(&world.app, &owner.session.hash()).unwrap().unwrap()
}

#[test]
fn an_account_is_shown_with_what_its_rows_hold() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql(
        "UPDATE account SET created_at = now() - '3 days'::interval, last_login_at = now() - '2 hours'::interval;
         UPDATE credential SET revealed_at = now() - '2 days'::interval",
    );
    for _ in 0..5 {
        world.login(&owner, None).unwrap_err();
    }
    let account = load(&world, &owner);
    assert_eq!((account.account_id, account.username.as_str()), (owner.account_id, "alice"));
    assert_eq!((account.state.as_str(), account.wrong_codes), ("active", 5));
    assert_eq!(account.created_at, seconds(&world, "created_at"));
    assert_eq!(account.last_login_at, Some(seconds(&world, "last_login_at")));
    assert_eq!(account.locked_until, Some(seconds(&world, "locked_until")));
    let credential = account.credential.unwrap();
    assert_eq!(credential.revealed_at, seconds(&world, "(SELECT revealed_at FROM credential)"));
    assert_eq!(credential.expires_at, seconds(&world, "(SELECT expires_at FROM credential)"));
    let step = world.text("SELECT last_step FROM credential").parse().unwrap();
    assert_eq!(credential.last_code_at, Step::from_value(step).begins_at());
    assert_eq!(account.unconfirmed, None);
}

#[test]
fn looking_at_an_account_is_a_use_of_the_session() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE session SET last_seen_at = now() - '59 minutes'::interval");
    load(&world, &owner);
    assert_eq!(world.text("SELECT last_seen_at > now() - '1 minute'::interval FROM session"), "true");
}

#[test]
fn a_start_that_nobody_has_confirmed_is_shown_too() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    world.renew(&owner);
    // An operator may give an account more time.
    world.sql(
        "UPDATE credential SET expires_at = now() + '1 day' WHERE live; UPDATE account SET state = 'active'",
    );
    let draft = |column: &str| format!("(SELECT {column} FROM credential WHERE NOT live)");

    let unconfirmed = load(&world, &owner).unconfirmed.unwrap();
    assert_eq!((unconfirmed.revealed_at, unconfirmed.locked_until, unconfirmed.wrong_codes), (None, None, 0));
    assert_eq!(unconfirmed.code_expires_at, seconds(&world, &draft("reveal_expires_at")));
    assert_eq!(unconfirmed.deadline, seconds(&world, &draft("deadline")));

    world.sql(
        "UPDATE credential SET revealed_at = now() - '1 minute'::interval, verifier = '', verifier_algorithm = 1,
            wrong_codes = 6, locked_until = now() + '2 minutes' WHERE NOT live",
    );
    let unconfirmed = load(&world, &owner).unconfirmed.unwrap();
    assert_eq!(unconfirmed.wrong_codes, 6);
    assert_eq!(unconfirmed.revealed_at, Some(seconds(&world, &draft("revealed_at"))));
    assert_eq!(unconfirmed.locked_until, Some(seconds(&world, &draft("locked_until"))));
}

#[test]
fn events_come_newest_first_and_are_ones_own() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.owner("bob");
    world.login(&owner, None).unwrap_err();
    world.sql("UPDATE event SET at = now() - '1 hour'::interval WHERE kind = 'enroll'");
    let oldest = world.text("SELECT floor(extract(epoch FROM min(at)))::bigint FROM event").parse().unwrap();
    let oldest = UnixTime::from_seconds(oldest);
    let events = account::events(&world.app, owner.account_id).unwrap();
    let told: Vec<String> =
        events.newest.iter().map(|OwnEvent { kind, outcome, .. }| format!("{kind}/{outcome}")).collect();
    assert_eq!(told, ["login/wrong_code", "activate/ok", "reveal/ok", "start/ok", "enroll/ok"]);
    assert_eq!(events.older, 0);
    assert_eq!(events.newest[4].at, oldest);
    let nobody = AccountId::random(&mut world.randomness).unwrap();
    let none = account::events(&world.app, nobody).unwrap();
    assert_eq!((none.newest.len(), none.older), (0, 0));
}

#[test]
fn however_many_events_there_are_the_same_number_is_read() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let (shown, counted) = (i64::from(EVENTS_SHOWN), i64::from(OLDER_EVENTS_COUNTED));
    // Without statistics, which is when PostgreSQL would rather read all of them.
    world.sql("ALTER TABLE event SET (autovacuum_enabled = off)");
    for (stored, older) in [(shown, 0), (shown + 1, 1), (shown + counted, counted), (6 * counted, counted)] {
        world.sql(&format!(
            "INSERT INTO event (at, kind, outcome, account_id)
             SELECT now() - make_interval(days => 1, secs => number), 'login', 'wrong_password', '{id}'
             FROM generate_series(1, {stored} - (SELECT count(*) FROM event WHERE account_id = '{id}')) AS number",
            id = owner.account_id
        ));
        let before = index_entries_read(&world);
        let events = account::events(&world.app, owner.account_id).unwrap();
        assert_eq!((events.newest.len(), events.older), (EVENTS_SHOWN as usize, older), "{stored}");
        assert_eq!(events.newest[0].kind, "activate", "{stored}");
        let read = index_entries_read(&world) - before;
        assert!((shown..=shown + counted).contains(&read), "{read} of {stored} are read");
    }
}

/// How many entries of the events' index the application's connection has read so far.
fn index_entries_read(world: &World) -> i64 {
    world.flush_statistics();
    world
        .text("SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'event_by_account'")
        .parse()
        .unwrap()
}
