//! Activation: what was checked is what becomes live, once.

use domain::journey::OpenStart;
use domain::journey::activate::Outcome;
use domain::journey::session::NewSession;
use domain::{AfterWrongCode, LockSchedule, PlainToken, Step};

use crate::journey::{Seeded, World};
use crate::race::race;

/// A start whose password and secret wait for their proof.
fn ready(world: &mut World, name: &str) -> (PlainToken, OpenStart) {
    let account = world.start(name);
    world.reveal(&account.draft.reveal_token);
    world.enroll(&account.draft.enrollment_token);
    let start = world.open(&account.draft.enrollment_token);
    (account.draft.enrollment_token, start)
}

#[test]
fn an_activation_makes_the_account_active_and_ends_the_start() {
    let mut world = World::new();
    let (token, start) = ready(&mut world, "alice");
    let (outcome, session) = world.activate(&start, Some(100));
    let expires_at = domain::credential_expiry(start.now);
    assert_eq!(outcome, Outcome::Activated { username: start.username.clone(), expires_at });
    assert!(store::start::load(&world.store, &token.hash()).unwrap().is_none());
    assert!(store::session::touch(&world.store, &session.token.hash()).unwrap().is_some());
    assert_eq!(world.text("SELECT state || live || last_step FROM account, credential"), "activetrue100");
    assert_eq!(world.activate(&start, Some(101)).0, Outcome::Superseded, "a second time");
}

#[test]
fn a_start_that_changed_since_it_was_checked_is_not_activated() {
    let mut world = World::new();
    let (token, start) = ready(&mut world, "alice");
    world.enroll(&token);
    assert_eq!(world.activate(&start, Some(100)).0, Outcome::Superseded);
    assert_eq!(world.text("SELECT state FROM account"), "pending");
    let start = world.open(&token);
    world.sql("UPDATE credential SET deadline = now(), reveal_expires_at = now()");
    assert_eq!(world.activate(&start, Some(100)).0, Outcome::Ended);
    assert_eq!(world.text("SELECT state FROM account"), "pending");
}

#[test]
fn of_many_activations_of_one_start_one_wins() {
    let mut world = World::new();
    let (_, start) = ready(&mut world, "alice");
    let expires_at = domain::credential_expiry(start.now);
    let outcomes = race(&world.database, 20, |connection, contender| {
        let session = NewSession::draw(&mut Seeded::new(100 + contender)).unwrap();
        store::activate::commit(connection, &start, Some(Step::from_value(100)), expires_at, &session)
            .unwrap()
    });
    let activated = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Activated { .. })).count();
    let superseded = outcomes.iter().filter(|outcome| **outcome == Outcome::Superseded).count();
    assert_eq!((activated, superseded), (1, 19));
    assert_eq!(world.text("SELECT count(*) FROM session"), "1");
}

#[test]
fn wrong_codes_wait_and_end_the_start_as_the_domain_says() {
    let mut world = World::new();
    let (token, _) = ready(&mut world, "alice");
    for wrong_code in 1..=LockSchedule::ACTIVATION.stop_at {
        world.sql("UPDATE credential SET locked_until = NULL");
        let start = world.open(&token);
        let (outcome, _) = world.activate(&start, None);
        let waits = world
            .text("SELECT coalesce(extract(epoch FROM locked_until - now()), 0)::bigint FROM credential");
        let waits: u32 = waits.parse::<u32>().unwrap().div_ceil(60);
        match LockSchedule::ACTIVATION.verdict_after(wrong_code) {
            AfterWrongCode::Continue => assert_eq!((outcome, waits), (Outcome::WrongCode, 0), "{wrong_code}"),
            AfterWrongCode::Wait { minutes } => {
                assert_eq!((outcome, waits), (Outcome::WrongCode, minutes), "{wrong_code}");
                let start = world.open(&token);
                let (waiting, _) = world.activate(&start, Some(100));
                assert!(matches!(waiting, Outcome::Waiting(_)), "a right code does not pass: {waiting:?}");
            }
            AfterWrongCode::Stop => assert_eq!(outcome, Outcome::StartEnded, "{wrong_code}"),
        }
    }
    assert!(store::start::load(&world.store, &token.hash()).unwrap().is_none());
    // The name is free again.
    world.start("alice");
}

#[test]
fn a_renewal_ends_the_old_credential_and_every_session_only_when_it_is_confirmed() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let step = world.next_step();
    let (_, tickets) = world.login(&owner, Some(step));
    // Another token, which nobody uses: it goes with the credential that earned it.
    assert_eq!(world.login(&owner, Some(step + 1)).0, domain::journey::login::Outcome::Expired);
    let renewal =
        domain::journey::renew::decide(&tickets.renewal_token, owner.username.clone(), &mut world.randomness)
            .unwrap();
    store::start::renew(&world.store, &renewal).unwrap().unwrap();
    world.reveal(&renewal.draft.reveal_token);
    world.enroll(&renewal.draft.enrollment_token);
    let old = world.right_password(&owner, Some(step + 2));
    assert_eq!(world.text("SELECT count(*) FROM credential"), "2");
    assert_eq!(world.text("SELECT count(*) FROM renewal_token"), "1");

    let start = world.open(&renewal.draft.enrollment_token);
    let (outcome, session) = world.activate(&start, Some(1));
    assert!(matches!(outcome, Outcome::Activated { .. }), "{outcome:?}");
    assert_eq!(world.text("SELECT count(*) FROM credential"), "1");
    assert_eq!(world.text("SELECT count(*) FROM renewal_token"), "0");
    let tickets = world.tickets();
    let stale = store::login::commit(&world.store, &old, &tickets).unwrap();
    assert_eq!(stale, domain::journey::login::Outcome::Stale, "a login that was checked before");
    assert!(store::session::touch(&world.store, &owner.session.hash()).unwrap().is_none());
    assert!(store::session::touch(&world.store, &session.token.hash()).unwrap().is_some());
}

#[test]
fn a_suspended_account_is_not_activated_by_a_renewal() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let step = world.next_step();
    let (_, tickets) = world.login(&owner, Some(step));
    let renewal =
        domain::journey::renew::decide(&tickets.renewal_token, owner.username, &mut world.randomness)
            .unwrap();
    store::start::renew(&world.store, &renewal).unwrap().unwrap();
    let code = &renewal.draft.reveal_token;
    world.reveal(code);
    world.enroll(&renewal.draft.enrollment_token);
    let start = world.open(&renewal.draft.enrollment_token);
    assert_eq!(world.text("SELECT suspend_account('alice')"), "true");
    assert_eq!(world.activate(&start, Some(1)).0, Outcome::Ended);
    assert!(store::start::load(&world.store, &renewal.draft.enrollment_token.hash()).unwrap().is_none());
    assert_eq!(world.text("SELECT state FROM account"), "suspended");
}
