//! Sessions end in every way that they should.

use harness::TestDatabase;
use store::{Error, StatementError};

use crate::journey::World;

#[test]
fn a_session_ends_with_idleness_age_its_credential_and_its_account() {
    for (what, ends) in [
        ("idle for an hour", "UPDATE session SET last_seen_at = now() - '1 hour'::interval"),
        ("twelve hours old", "UPDATE session SET created_at = now() - '12 hours'::interval"),
        ("expired credential", "UPDATE credential SET expires_at = now()"),
        ("suspended account", "SELECT suspend_account('alice')"),
        ("expired account", "UPDATE account SET state = 'expired'"),
    ] {
        let mut world = World::new();
        let token = world.owner("alice").session.hash();
        assert!(store::session::touch(&world.store, &token).unwrap().is_some(), "{what}");
        world.sql(ends);
        assert_eq!(store::session::touch(&world.store, &token), Ok(None), "{what}");
        assert_eq!(store::session::end(&world.store, &token), Ok(false), "{what}");
    }
}

#[test]
fn using_a_session_keeps_it_from_idling_but_not_from_ageing() {
    let mut world = World::new();
    let token = world.owner("alice").session.hash();
    world.sql("UPDATE session SET last_seen_at = now() - '59 minutes'::interval");
    let session = store::session::touch(&world.store, &token).unwrap().unwrap();
    let now = i64::try_from(world.database.now()).unwrap();
    assert!((3_590..=3_600).contains(&(session.session_expires_at.seconds() - now)), "an hour from now");
    world.sql("UPDATE session SET created_at = now() - '11 hours 30 minutes'::interval");
    let session = store::session::touch(&world.store, &token).unwrap().unwrap();
    assert!((1_790..=1_800).contains(&(session.session_expires_at.seconds() - now)), "half an hour is left");
    world.sql("UPDATE credential SET expires_at = now() + '1 minute'::interval");
    let session = store::session::touch(&world.store, &token).unwrap().unwrap();
    assert_eq!(session.session_expires_at, session.expires_at, "never past its credential");
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
