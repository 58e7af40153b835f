//! A session and a renewal token belong to a live credential. The operations give none to a start, which nobody has confirmed;
//! here one has some nevertheless.

use domain::SessionId;
use journey::Refusal;
use journey::session;
use journey::start::Renewal;

use crate::purge::add_draft;
use crate::world::{Owner, World, decided, is_open};

/// Alice's account, and a start that would replace her credential.
fn renewing(world: &mut World) -> Owner {
    let owner = world.owner("alice");
    add_draft(world, "alice");
    owner
}

#[test]
fn the_session_of_a_start_is_none_and_nobodys() {
    let mut world = World::new();
    let owner = renewing(&mut world);
    let token = world.token();
    let insert = "INSERT INTO session (hash, id, credential_id, failed_before)
        SELECT $1, gen_random_uuid(), id, 0 FROM credential WHERE NOT live";
    world.database.owner().execute(insert, &[&token.hash().as_bytes().as_slice()]).unwrap();
    let id = world
        .text("SELECT session.id FROM session JOIN credential ON credential.id = credential_id WHERE live");
    let ended =
        decided(session::end_own(&world.app, &token.hash(), SessionId::from_uuid(id.parse().unwrap())));
    assert_eq!(ended.unwrap_err(), Refusal::SessionInvalid);
    assert_eq!(
        world.text("SELECT count(*) FROM event WHERE kind = 'end_session' AND account_id IS NULL"),
        "1"
    );
    assert!(is_open(&world.app, &owner.session));
}

#[test]
fn the_renewal_token_of_a_start_begins_no_other() {
    let mut world = World::new();
    let owner = renewing(&mut world);
    let token = world.token();
    world.sql("UPDATE account SET state = 'expired'");
    let insert = "INSERT INTO renewal_token (hash, credential_id, expires_at)
        SELECT $1, id, now() + '1 minute' FROM credential WHERE NOT live";
    world.database.owner().execute(insert, &[&token.hash().as_bytes().as_slice()]).unwrap();
    let renewal = Renewal::draw(&token, owner.username, &mut world.randomness).unwrap();
    assert_eq!(decided(renewal.begin(&world.app)).unwrap_err(), Refusal::TokenInvalid);
}
