//! Sessions end in every way that they should.

use domain::journey::deletion;
use domain::journey::session::{Ending, OwnSession};
use domain::{PlainToken, SessionId, UnixTime};
use harness::{NativeDatabase, TestDatabase};
use store::{Database, Error, StatementError};

use crate::deletion::waits_for;
use crate::journey::{Owner, World};
use crate::race::race;

/// Logs in once more. Returns the session's token and its public id.
fn another_session(world: &mut World, owner: &Owner) -> (PlainToken, SessionId) {
    let step = world.next_step();
    let session = world.login(owner, Some(step)).1.session;
    (session.token, session.session_id)
}

#[test]
fn a_session_ends_with_idleness_age_its_credential_and_its_account() {
    for (what, ends) in [
        (
            "idle for an hour",
            "UPDATE session SET last_seen_at = now() - '1 hour'::interval WHERE id = '{id}'",
        ),
        (
            "twelve hours old",
            "UPDATE session SET created_at = now() - '12 hours'::interval WHERE id = '{id}'",
        ),
        ("expired credential", "UPDATE credential SET expires_at = now()"),
        ("suspended account", "SELECT suspend_account('alice')"),
        ("expired account", "UPDATE account SET state = 'expired' WHERE username = 'alice'"),
    ] {
        let mut world = World::new();
        let owner = world.owner("alice");
        world.owner("bob");
        let token = owner.session.hash();
        let session = store::session::list(&world.store, &token).unwrap().unwrap()[0].session_id;
        another_session(&mut world, &owner);
        let step = world.next_step();
        let proof = world.right_password(&owner, Some(step));
        assert!(store::session::touch(&world.store, &token).unwrap().is_some(), "{what}");
        world.sql(&ends.replace("{id}", &session.as_uuid().to_string()));
        assert_eq!(store::session::touch(&world.store, &token), Ok(None), "{what}");
        assert_eq!(store::session::end(&world.store, &token), Ok(false), "{what}");
        assert_eq!(store::session::list(&world.store, &token), Ok(None), "{what}");
        assert_eq!(store::session::end_own(&world.store, &token, session), Ok(Ending::NoSession), "{what}");
        assert_eq!(store::account::load(&world.store, &token), Ok(None), "{what}");
        assert!(store::deletion::load(&world.store, &token).unwrap().is_none(), "{what}");
        let late = store::deletion::commit(&world.store, &proof, &token).unwrap();
        let suspended = world.text("SELECT state FROM account WHERE username = 'alice'") == "suspended";
        let expected = if suspended { deletion::Outcome::Suspended } else { deletion::Outcome::NoSession };
        assert_eq!(late, expected, "{what}");
        assert_eq!(world.text("SELECT count(*) FROM session"), "3", "{what}");
    }
}

#[test]
fn using_a_session_keeps_it_from_idling_but_not_from_ageing() {
    let mut world = World::new();
    let token = world.owner("alice").session.hash();
    let ends_at = |world: &World| {
        store::session::touch(&world.store, &token).unwrap().expect("it is open").session_expires_at
    };
    let stored = |world: &World, time: &str| {
        let seconds = world.text(&format!("SELECT floor(extract(epoch FROM {time}))::bigint FROM session"));
        UnixTime::from_seconds(seconds.parse().unwrap())
    };
    world.sql("UPDATE session SET last_seen_at = now() - '30 minutes'::interval");
    let before = stored(&world, "last_seen_at");
    assert_eq!(ends_at(&world), stored(&world, "last_seen_at + '1 hour'"), "an hour from its use");
    assert!(stored(&world, "last_seen_at") > before, "which is now");
    world.sql("UPDATE session SET created_at = now() - '11 hours 30 minutes'::interval");
    assert_eq!(ends_at(&world), stored(&world, "created_at + '12 hours'"), "half an hour is left");
    world.sql("UPDATE credential SET expires_at = now() + '15 minutes'::interval");
    let credential_ends = "(SELECT expires_at FROM credential)";
    assert_eq!(ends_at(&world), stored(&world, credential_ends), "never past its credential");
}

#[test]
fn a_logout_ends_one_session_once() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step();
    let (_, tickets) = world.login(&owner, Some(step));
    assert_eq!(store::session::end(&world.store, &owner.session.hash()), Ok(true));
    assert_eq!(store::session::end(&world.store, &owner.session.hash()), Ok(false));
    assert_eq!(store::session::touch(&world.store, &owner.session.hash()), Ok(None));
    assert!(store::session::touch(&world.store, &tickets.session.token.hash()).unwrap().is_some());
    assert_eq!(world.events("logout", "ok"), 1);
}

#[test]
fn health_needs_the_tables_and_the_rights_to_them() {
    let database = TestDatabase::fresh();
    assert_eq!(store::health::check(&database.store()), Ok(()));
    database.owner().batch_execute("REVOKE SELECT ON account FROM cofrap_app").unwrap();
    let refused = store::health::check(&database.store());
    let Err(Error::Unavailable(StatementError::Refused { sqlstate, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(sqlstate, "42501");
}

#[test]
fn health_needs_a_database_that_may_be_written_to() {
    let database = TestDatabase::fresh();
    let store = database.store();
    store.execute("SET default_transaction_read_only = on", &[]).unwrap();
    let refused = store::health::check(&store);
    let Err(Error::Unavailable(StatementError::Refused { sqlstate, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(sqlstate, "25006");
}

#[test]
fn a_release_gives_the_account_back_without_the_sessions_of_before() {
    let mut world = World::new();
    let token = world.owner("alice").session.hash();
    assert_eq!(world.text("SELECT suspend_account('alice')"), "true");
    assert_eq!(world.text("SELECT release_account('alice')"), "true");
    assert_eq!(world.text("SELECT state FROM account"), "active");
    assert_eq!(store::session::touch(&world.store, &token), Ok(None));
    assert_eq!(
        world.text("SELECT release_account('alice')"),
        "false",
        "a second time there is nothing to release"
    );
}

#[test]
fn the_list_holds_the_open_sessions_of_the_account_newest_first_and_counts_as_a_use_of_one() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.owner("bob");
    let (current, current_id) = another_session(&mut world, &owner);
    let (_, newest_id) = another_session(&mut world, &owner);
    let (_, idle_id) = another_session(&mut world, &owner);
    let (_, old_id) = another_session(&mut world, &owner);
    let moved = [(current_id, 30, 20), (newest_id, 10, 5), (idle_id, 70, 60), (old_id, 720, 1)];
    for (id, opened, seen) in moved {
        world.sql(&format!(
            "UPDATE session SET created_at = now() - '{opened} minutes'::interval,
                last_seen_at = now() - '{seen} minutes'::interval WHERE id = '{id}'"
        ));
    }
    let others = format!(
        "SELECT string_agg(last_seen_at::text, ' ' ORDER BY id) FROM session WHERE id <> '{current_id}'"
    );
    let before = world.text(&others);
    let list = store::session::list(&world.store, &current.hash()).unwrap().unwrap();

    // The activation's session is the newest of all: it was not moved.
    let ids: Vec<SessionId> = list.iter().map(|session| session.session_id).collect();
    assert_eq!(ids.len(), 3, "{list:?}");
    assert_eq!(ids[1..], [newest_id, current_id]);
    assert_eq!(list.iter().map(|session| session.is_current).collect::<Vec<_>>(), [false, false, true]);
    let now = i64::try_from(world.database.now()).unwrap();
    let minutes_ago = |OwnSession { created_at, last_seen_at, .. }: &OwnSession| {
        [created_at, last_seen_at].map(|at| (now - at.seconds()) / 60)
    };
    assert_eq!(list.iter().map(minutes_ago).collect::<Vec<_>>(), [[0, 0], [10, 5], [30, 0]]);
    assert_eq!(world.text(&others), before, "the others are not used by it");
    let stored =
        format!("SELECT last_seen_at > now() - '1 minute'::interval FROM session WHERE id = '{current_id}'");
    assert_eq!(world.text(&stored), "true");
}

#[test]
fn one_ends_ones_own_sessions_and_no_other() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let other = world.owner("bob");
    let (current, current_id) = another_session(&mut world, &owner);
    let (second, second_id) = another_session(&mut world, &owner);
    let (dead, dead_id) = another_session(&mut world, &owner);
    let theirs = store::session::list(&world.store, &other.session.hash()).unwrap().unwrap()[0].session_id;
    world
        .sql(&format!("UPDATE session SET last_seen_at = now() - '1 hour'::interval WHERE id = '{dead_id}'"));
    let nobodys = SessionId::random(&mut world.randomness).unwrap();
    let sessions = "SELECT count(*) FROM session";
    for id in [theirs, dead_id, nobodys] {
        assert_eq!(store::session::end_own(&world.store, &current.hash(), id), Ok(Ending::Unknown));
        assert_eq!(world.text(sessions), "5");
    }
    assert_eq!(world.events("end_session", "session_unknown"), 3);
    assert_eq!(store::session::end_own(&world.store, &dead.hash(), current_id), Ok(Ending::NoSession));
    assert_eq!(store::session::touch(&world.store, &dead.hash()), Ok(None), "asking is no use of a dead one");

    world.sql("UPDATE session SET last_seen_at = now() - '59 minutes'::interval");
    let ended = store::session::end_own(&world.store, &current.hash(), second_id);
    assert_eq!(ended, Ok(Ending::Ended { was_current: false }));
    assert_eq!(store::session::touch(&world.store, &second.hash()), Ok(None));
    world.sql("UPDATE session SET last_seen_at = last_seen_at - '2 minutes'::interval");
    let ended = store::session::end_own(&world.store, &current.hash(), current_id);
    assert_eq!(ended, Ok(Ending::Ended { was_current: true }), "ending another was a use of this one");
    assert_eq!(store::session::touch(&world.store, &other.session.hash()), Ok(None), "and of no other");
    assert_eq!(store::session::touch(&world.store, &current.hash()), Ok(None));
    assert_eq!((world.events("end_session", "ok"), world.events("end_session", "session_invalid")), (2, 1));
    let theirs = "SELECT count(*) FROM session JOIN account USING (credential_id) WHERE username = 'bob'";
    assert_eq!(world.text(theirs), "1");
}

#[test]
fn of_sessions_that_end_each_other_one_wins_and_none_deadlocks() {
    let mut world = World::new();
    let owner = world.owner("alice");
    for _ in 0..20 {
        let pair = [another_session(&mut world, &owner), another_session(&mut world, &owner)];
        let endings = race(&world.database, 2, |connection, contender| {
            let own = usize::try_from(contender).unwrap();
            store::session::end_own(connection, &pair[own].0.hash(), pair[1 - own].1).unwrap()
        });
        let ended = endings.iter().filter(|ending| **ending == Ending::Ended { was_current: false }).count();
        let none = endings.iter().filter(|ending| **ending == Ending::NoSession).count();
        assert_eq!((ended, none), (1, 1), "{endings:?}");
    }
    assert_eq!(deadlocks(&world), "0");
}

#[test]
fn ending_a_session_takes_its_turn_behind_whoever_holds_the_account() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let (_, other_id) = another_session(&mut world, &owner);
    let first = NativeDatabase::new(world.database.owner());
    first.execute("BEGIN", &[]).unwrap();
    first.execute("SELECT FROM account FOR NO KEY UPDATE", &[]).unwrap();
    let ended = waits_for(&world, first, |connection| {
        store::session::end_own(connection, &owner.session.hash(), other_id)
    });
    assert_eq!(ended, Ok(Ending::Ended { was_current: false }));
}

#[test]
fn ending_a_session_waits_for_no_third_one() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let (_, ended_id) = another_session(&mut world, &owner);
    let (_, third_id) = another_session(&mut world, &owner);
    let mut user = world.database.owner();
    let mut transaction = user.transaction().unwrap();
    transaction.execute("SELECT FROM session WHERE id = $1 FOR UPDATE", &[third_id.as_uuid()]).unwrap();
    world.store.execute("SET lock_timeout = '1s'", &[]).unwrap();
    let ended = store::session::end_own(&world.store, &owner.session.hash(), ended_id);
    assert_eq!(ended, Ok(Ending::Ended { was_current: false }));
}

/// Those that PostgreSQL has counted in this database. A statement that is repeated hides one.
fn deadlocks(world: &World) -> String {
    world.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
}
