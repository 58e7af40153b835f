//! Activation: what was checked is what becomes live, once.

use domain::{AfterWrongCode, LockSchedule, PlainToken};
use journey::Refusal;
use journey::login;
use journey::session::NewSession;
use journey::start::OpenStart;

use harness::seeded::Seeded;

use crate::race::race;
use crate::world::{World, activate, can_go_on, decided, has_expired, is_open, waits};

/// A start whose password and secret wait for their proof.
fn ready(world: &mut World, name: &str) -> (PlainToken, OpenStart) {
    let draft = world.start(name).draft;
    let start = world.prepare(&draft);
    (draft.enrollment_token, start)
}

#[test]
fn an_activation_makes_the_account_active_and_ends_the_start() {
    let mut world = World::new();
    let (token, start) = ready(&mut world, "alice");
    let activated = world.activate(&start, Some(100)).unwrap();
    assert_eq!(activated.username, start.username);
    assert_eq!(activated.expires_at, domain::credential_expiry(start.now));
    assert!(!can_go_on(&world.app, &token));
    assert!(is_open(&world.app, &activated.session.token));
    assert_eq!(world.text("SELECT state || live || last_step FROM account, credential"), "activetrue100");
    assert_eq!(world.activate(&start, Some(101)).unwrap_err(), Refusal::Superseded, "a second time");
}

#[test]
fn a_start_that_changed_since_it_was_checked_is_not_activated() {
    let mut world = World::new();
    let (token, start) = ready(&mut world, "alice");
    world.enroll(&token);
    assert_eq!(world.activate(&start, Some(100)).unwrap_err(), Refusal::Superseded);
    assert_eq!(world.text("SELECT state FROM account"), "pending");
    let start = world.open(&token);
    world.sql("UPDATE credential SET deadline = now(), reveal_expires_at = now()");
    assert_eq!(world.activate(&start, Some(100)).unwrap_err(), Refusal::TokenInvalid);
    assert_eq!(world.text("SELECT state FROM account"), "pending");
}

#[test]
fn of_many_activations_of_one_start_one_wins() {
    let mut world = World::new();
    let (_, start) = ready(&mut world, "alice");
    let outcomes = race(&world.database, 20, |connection, contender| {
        let session = NewSession::draw(&mut Seeded::new(100 + contender)).unwrap();
        decided(activate(connection, &start, Some(100), session))
    });
    let refusals: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert_eq!(refusals, [Refusal::Superseded; 19]);
    assert_eq!(world.text("SELECT count(*) FROM session"), "1");
}

#[test]
fn wrong_codes_wait_and_end_the_start_as_the_domain_says() {
    let mut world = World::new();
    let (token, _) = ready(&mut world, "alice");
    for wrong_code in 1..=LockSchedule::ACTIVATION.stop_at {
        world.sql("UPDATE credential SET locked_until = NULL");
        let start = world.open(&token);
        let refusal = world.activate(&start, None).unwrap_err();
        let minutes = world
            .text("SELECT coalesce(extract(epoch FROM locked_until - now()), 0)::bigint FROM credential");
        let minutes: u32 = minutes.parse::<u32>().unwrap().div_ceil(60);
        match LockSchedule::ACTIVATION.verdict_after(wrong_code) {
            AfterWrongCode::Continue => {
                assert_eq!((refusal, minutes), (Refusal::WrongCode, 0), "{wrong_code}");
            }
            AfterWrongCode::Wait { minutes: expected } => {
                assert_eq!((refusal, minutes), (Refusal::WrongCode, expected), "{wrong_code}");
                let start = world.open(&token);
                let waiting = world.activate(&start, Some(100));
                assert!(waits(&waiting), "a right code does not pass: {waiting:?}");
            }
            AfterWrongCode::Stop => assert_eq!(refusal, Refusal::StartEnded, "{wrong_code}"),
        }
    }
    assert!(!can_go_on(&world.app, &token));
    // The name is free again.
    world.start("alice");
}

#[test]
fn a_renewal_ends_the_old_credential_and_every_session_only_when_it_is_confirmed() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let draft = world.renew(&owner);
    // Another token, which nobody uses: it goes with the credential that earned it.
    let step = world.next_step();
    assert!(has_expired(&world.login(&owner, Some(step))));
    let start = world.prepare(&draft);
    let old = world.right_password(&owner, Some(step + 1));
    assert_eq!(world.text("SELECT count(*) FROM credential"), "2");
    assert_eq!(world.text("SELECT count(*) FROM renewal_token"), "1");

    let session = world.activate(&start, Some(1)).unwrap().session;
    assert_eq!(world.text("SELECT count(*) FROM credential"), "1");
    assert_eq!(world.text("SELECT count(*) FROM renewal_token"), "0");
    let tickets = world.tickets();
    let stale = decided(login::commit(&world.app, &old, tickets)).unwrap_err();
    assert_eq!(stale, Refusal::Stale, "a login that was checked before");
    assert!(!is_open(&world.app, &owner.session));
    assert!(is_open(&world.app, &session.token));
}

#[test]
fn a_suspended_account_is_not_activated_by_a_renewal() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let draft = world.renew(&owner);
    let start = world.prepare(&draft);
    assert_eq!(world.text("SELECT suspend_account('alice')"), "true");
    assert_eq!(world.activate(&start, Some(1)).unwrap_err(), Refusal::TokenInvalid);
    assert!(!can_go_on(&world.app, &draft.enrollment_token));
    assert_eq!(world.text("SELECT state FROM account"), "suspended");
}
