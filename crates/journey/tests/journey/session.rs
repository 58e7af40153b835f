//! Sessions end in every way that they should.

use domain::{PlainToken, SessionId, UnixTime};
use journey::account::{self, deletion};
use journey::session::{self, Ended, OwnSession};
use journey::{Database, Refusal};

use crate::race::{race, waits_for_owner};
use crate::world::{Owner, World, decided, is_open};

const ENDED: Result<Ended, Refusal> = Ok(Ended { was_current: false });
const ENDED_ITSELF: Result<Ended, Refusal> = Ok(Ended { was_current: true });

/// Logs in once more. Returns the session's token and its public id.
fn another_session(world: &mut World, owner: &Owner) -> (PlainToken, SessionId) {
    let step = world.next_step();
    let session = world.sign_in(owner, step);
    (session.token, session.session_id)
}

/// The public id of the only session of its account.
fn own_id(world: &World, token: &PlainToken) -> SessionId {
    session::list(&world.app, &token.hash()).unwrap()[0].session_id
}

fn end_own(world: &World, token: &PlainToken, session: SessionId) -> Result<Ended, Refusal> {
    decided(session::end_own(&world.app, &token.hash(), session))
}

#[test]
fn a_session_ends_with_idleness_age_its_credential_and_its_account() {
    for (what, ends, expected) in [
        (
            "idle for an hour",
            "UPDATE session SET last_seen_at = now() - '1 hour'::interval WHERE id = '{id}'",
            Refusal::SessionInvalid,
        ),
        (
            "twelve hours old",
            "UPDATE session SET created_at = now() - '12 hours'::interval WHERE id = '{id}'",
            Refusal::SessionInvalid,
        ),
        ("expired credential", "UPDATE credential SET expires_at = now()", Refusal::SessionInvalid),
        ("suspended account", "SELECT suspend_account('alice')", Refusal::Suspended),
        (
            "expired account",
            "UPDATE account SET state = 'expired' WHERE username = 'alice'",
            Refusal::SessionInvalid,
        ),
    ] {
        let mut world = World::new();
        let owner = world.owner("alice");
        world.owner("bob");
        let token = owner.session.hash();
        let session = own_id(&world, &owner.session);
        another_session(&mut world, &owner);
        let step = world.next_step();
        let proof = world.right_password(&owner, Some(step));
        assert!(is_open(&world.app, &owner.session), "{what}");
        world.sql(&ends.replace("{id}", &session.as_uuid().to_string()));
        assert!(!is_open(&world.app, &owner.session), "{what}");
        assert_eq!(decided(session::end(&world.app, &token)), Err(Refusal::SessionInvalid), "{what}");
        assert_eq!(decided(session::list(&world.app, &token)), Err(Refusal::SessionInvalid), "{what}");
        assert_eq!(end_own(&world, &owner.session, session), Err(Refusal::SessionInvalid), "{what}");
        assert_eq!(account::load(&world.app, &token), Ok(None), "{what}");
        assert!(deletion::load(&world.app, &token).unwrap().is_none(), "{what}");
        let late = decided(deletion::commit(&world.app, &proof, &token));
        assert_eq!(late, Err(expected), "{what}");
        assert_eq!(world.text("SELECT count(*) FROM session"), "3", "{what}");
        assert_eq!(world.events("session", "session_invalid"), 2, "{what}: the look and the list");
        assert_eq!(world.events("logout", "session_invalid"), 1, "{what}");
    }
}

#[test]
fn using_a_session_keeps_it_from_idling_but_not_from_ageing() {
    let mut world = World::new();
    let token = world.owner("alice").session.hash();
    let ends_at = |world: &World| session::touch(&world.app, &token).expect("it is open").session_expires_at;
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
    let (other, _) = another_session(&mut world, &owner);
    let end = || decided(session::end(&world.app, &owner.session.hash()));
    assert_eq!(end(), Ok(()));
    assert_eq!(end(), Err(Refusal::SessionInvalid));
    assert!(!is_open(&world.app, &owner.session));
    assert!(is_open(&world.app, &other));
    assert_eq!((world.events("logout", "ok"), world.events("logout", "session_invalid")), (1, 1));
}

#[test]
fn a_release_gives_the_account_back_without_the_sessions_of_before() {
    let mut world = World::new();
    let session = world.owner("alice").session;
    assert_eq!(world.text("SELECT suspend_account('alice')"), "true");
    assert_eq!(world.text("SELECT release_account('alice')"), "true");
    assert_eq!(world.text("SELECT state FROM account"), "active");
    assert!(!is_open(&world.app, &session));
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
    let [newest_id, idle_id, old_id] = [(); 3].map(|()| another_session(&mut world, &owner).1);
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
    let list = session::list(&world.app, &current.hash()).unwrap();

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
    let theirs = own_id(&world, &other.session);
    world
        .sql(&format!("UPDATE session SET last_seen_at = now() - '1 hour'::interval WHERE id = '{dead_id}'"));
    let nobodys = SessionId::random(&mut world.randomness).unwrap();
    let sessions = "SELECT count(*) FROM session";
    for id in [theirs, dead_id, nobodys] {
        assert_eq!(end_own(&world, &current, id), Err(Refusal::SessionUnknown));
        assert_eq!(world.text(sessions), "5");
    }
    assert_eq!(world.events("end_session", "session_unknown"), 3);
    assert_eq!(end_own(&world, &dead, current_id), Err(Refusal::SessionInvalid));
    assert!(!is_open(&world.app, &dead), "asking is no use of a dead one");

    world.sql("UPDATE session SET last_seen_at = now() - '59 minutes'::interval");
    assert_eq!(end_own(&world, &current, second_id), ENDED);
    assert!(!is_open(&world.app, &second));
    world.sql("UPDATE session SET last_seen_at = last_seen_at - '2 minutes'::interval");
    assert_eq!(end_own(&world, &current, current_id), ENDED_ITSELF, "ending another was a use of this one");
    assert!(!is_open(&world.app, &other.session), "and of no other");
    assert!(!is_open(&world.app, &current));
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
            decided(session::end_own(connection, &pair[own].0.hash(), pair[1 - own].1))
        });
        assert!(endings.contains(&ENDED) && endings.contains(&Err(Refusal::SessionInvalid)), "{endings:?}");
    }
    assert_eq!(deadlocks(&world), "0");
}

#[test]
fn ending_a_session_takes_its_turn_behind_whoever_holds_the_account() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let (_, other_id) = another_session(&mut world, &owner);
    let locks = "SELECT FROM account FOR NO KEY UPDATE";
    let ended = waits_for_owner(&world.database, locks, |connection| {
        decided(session::end_own(connection, &owner.session.hash(), other_id))
    });
    assert_eq!(ended, ENDED);
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
    world.app.query("SET lock_timeout = '1s'", &[]).unwrap();
    assert_eq!(end_own(&world, &owner.session, ended_id), ENDED);
}

/// Those that PostgreSQL has counted in this database. A statement that is repeated hides one.
fn deadlocks(world: &World) -> String {
    world.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
}
