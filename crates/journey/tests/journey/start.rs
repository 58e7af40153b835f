//! Starts, new codes, reveals, secrets, renewals.

use domain::journey::{Progress, enroll, renew, reveal, start};
use domain::{PlainToken, Username};

use crate::journey::{Seeded, World};
use crate::race::race;

const CONTENDERS: u64 = 20;

#[test]
fn a_new_name_becomes_a_pending_account_with_one_code() {
    let mut world = World::new();
    let account = world.start("alice");
    assert_eq!(world.text("SELECT state || ' ' || username FROM account"), "pending alice");
    let open = world.open(&account.draft.enrollment_token);
    assert_eq!((open.account_id, open.username.as_str()), (account.account_id, "alice"));
    assert!(matches!(open.progress, Progress::Unrevealed));
    let lives =
        "SELECT (deadline - created_at) || ' ' || (reveal_expires_at - created_at) FROM account, credential";
    assert_eq!(world.text(lives), "00:15:00 00:10:00");
    assert_eq!(world.events("start", "ok"), 1);
}

#[test]
fn a_name_that_is_taken_stays_as_it_is_in_every_state() {
    let mut world = World::new();
    world.start("pending");
    for name in ["active", "expired", "suspended"] {
        world.owner(name);
        world.sql(&format!("UPDATE account SET state = '{name}' WHERE username = '{name}'"));
    }
    let rows = "SELECT string_agg(account::text || credential::text, ';' ORDER BY account.id)
        FROM account JOIN credential ON credential.account_id = account.id";
    let before = world.text(rows);
    for name in ["pending", "active", "expired", "suspended"] {
        let account = world.new_account(name);
        assert_eq!(store::start::create_account(&world.store, &account), Ok(None), "{name}");
    }
    assert_eq!(world.text(rows), before);
    assert_eq!(world.events("start", "username_taken"), 4);
}

#[test]
fn the_name_of_a_dead_start_goes_to_a_new_account_and_its_tokens_are_dead() {
    let mut world = World::new();
    let old = world.start("alice");
    world.reveal(&old.draft.reveal_token);
    world.start("bob");
    end_starts(&world);
    assert!(store::start::load(&world.store, &old.draft.enrollment_token.hash()).unwrap().is_none());
    let new = world.start("alice");
    assert_ne!(old.account_id, new.account_id);
    assert!(store::reveal::load(&world.store, &old.draft.reveal_token.hash()).unwrap().is_none());
    assert!(store::start::load(&world.store, &old.draft.enrollment_token.hash()).unwrap().is_none());
    assert_eq!(world.open(&new.draft.enrollment_token).account_id, new.account_id);
    assert_eq!(
        world.text("SELECT count(*) FROM account WHERE username = 'bob'"),
        "1",
        "another dead one is left"
    );
}

#[test]
fn of_many_starts_of_one_name_one_wins_whether_it_is_free_or_dead() {
    let mut world = World::new();
    for name in ["free", "dead"] {
        if name == "dead" {
            world.start(name);
            end_starts(&world);
        }
        let answers = race(&world.database, CONTENDERS, |connection, contender| {
            let mut randomness = Seeded::new(100 + contender);
            let account = start::decide(Username::parse(name).unwrap(), &mut randomness).unwrap();
            store::start::create_account(connection, &account).unwrap().is_some()
        });
        assert_eq!(answers.iter().filter(|won| **won).count(), 1, "{name}");
        let drafts = format!(
            "SELECT count(*) FROM credential JOIN account ON account.id = account_id WHERE username = '{name}'"
        );
        assert_eq!(world.text(&drafts), "1", "{name}");
        // The next name's contenders draw the same ids.
        world.sql("DELETE FROM account");
    }
}

#[test]
fn a_new_code_ends_the_old_one_its_password_and_an_unconfirmed_secret() {
    let mut world = World::new();
    let account = world.start("alice");
    let token = &account.draft.enrollment_token;
    world.reveal(&account.draft.reveal_token);
    world.enroll(token);
    let before = world.open(token);
    let new_code = PlainToken::generate(&mut world.randomness).unwrap();
    let issued = store::start::replace_code(&world.store, &before, &token.hash(), &new_code).unwrap();
    assert!(issued.is_some());
    let after = world.open(token);
    assert!(matches!(after.progress, Progress::Unrevealed));
    assert!(after.revision.0 > before.revision.0);
    assert!(store::reveal::load(&world.store, &account.draft.reveal_token.hash()).unwrap().is_none());
    world.reveal(&new_code);
    assert_eq!((world.events("new_code", "ok"), world.events("new_code", "token_invalid")), (1, 0));
}

#[test]
fn a_code_never_outlives_its_start() {
    let mut world = World::new();
    let account = world.start("alice");
    let token = &account.draft.enrollment_token;
    world.sql("UPDATE credential SET deadline = now() + '5 minutes', reveal_expires_at = now()");
    let code = PlainToken::generate(&mut world.randomness).unwrap();
    let open = world.open(token);
    let issued = store::start::replace_code(&world.store, &open, &token.hash(), &code).unwrap().unwrap();
    assert_eq!(world.text("SELECT reveal_expires_at = deadline FROM credential"), "true");
    let deadline = world.text("SELECT floor(extract(epoch FROM deadline))::bigint FROM credential");
    assert_eq!(issued.reveal_expires_at.seconds().to_string(), deadline);
    end_starts(&world);
    assert!(store::start::replace_code(&world.store, &open, &token.hash(), &code).unwrap().is_none());
}

#[test]
fn of_many_reveals_of_one_code_one_wins_and_its_password_is_the_one_that_works() {
    let mut world = World::new();
    let account = world.start("alice");
    let code = &account.draft.reveal_token;
    let keys = &world.keys;
    let answers = race(&world.database, CONTENDERS, |connection, contender| {
        let snapshot = store::reveal::load(connection, &code.hash()).unwrap().unwrap();
        let new = reveal::make_password(&snapshot, keys, &mut Seeded::new(100 + contender)).unwrap();
        (store::reveal::commit(connection, &snapshot, &code.hash(), &new).unwrap(), new.password)
    });
    let won: Vec<_> = answers.iter().filter(|(outcome, _)| *outcome == reveal::Outcome::Revealed).collect();
    assert_eq!(won.len(), 1);
    assert!(
        answers
            .iter()
            .all(|(outcome, _)| matches!(outcome, reveal::Outcome::Revealed | reveal::Outcome::Used))
    );
    let open = world.open(&account.draft.enrollment_token);
    let Progress::Revealed { verifier } = &open.progress else { panic!("{:?}", open.progress) };
    let verifier = verifier.open(&world.keys, open.account_id, open.credential_id).unwrap();
    assert!(verifier.matches(&won[0].1, open.account_id, open.credential_id));
}

#[test]
fn a_reveal_that_lost_to_a_new_code_or_to_the_clock_says_so_and_stores_nothing() {
    let mut world = World::new();
    let account = world.start("alice");
    let (code, token) = (&account.draft.reveal_token, &account.draft.enrollment_token);
    let snapshot = store::reveal::load(&world.store, &code.hash()).unwrap().unwrap();
    let new = reveal::make_password(&snapshot, &world.keys, &mut world.randomness).unwrap();
    world.sql("UPDATE credential SET reveal_expires_at = now()");
    let commit = || store::reveal::commit(&world.store, &snapshot, &code.hash(), &new).unwrap();
    assert_eq!(commit(), reveal::Outcome::Expired);
    let another = PlainToken::generate(&mut Seeded::new(7)).unwrap();
    store::start::replace_code(&world.store, &world.open(token), &token.hash(), &another).unwrap().unwrap();
    assert_eq!(commit(), reveal::Outcome::Unknown);
    assert!(!world.open(token).is_revealed());
    assert_eq!((world.events("reveal", "token_expired"), world.events("reveal", "token_unknown")), (1, 1));
}

#[test]
fn a_code_is_known_once_it_was_used_and_else_only_while_its_account_may_be_activated() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let step = world.next_step();
    let (_, tickets) = world.login(&owner, Some(step));
    let renewal = renew::decide(&tickets.renewal_token, owner.username, &mut world.randomness).unwrap();
    store::start::renew(&world.store, &renewal).unwrap().unwrap();
    let code = &renewal.draft.reveal_token;
    let is_used = |world: &World| {
        store::reveal::load(&world.store, &code.hash()).unwrap().map(|snapshot| snapshot.is_revealed)
    };
    assert_eq!(is_used(&world), Some(false));
    world.sql("SELECT suspend_account('alice')");
    assert_eq!(is_used(&world), None);
    world.sql("SELECT release_account('alice')");
    world.reveal(code);
    world.sql("SELECT suspend_account('alice')");
    assert_eq!(is_used(&world), Some(true));
    world.sql("SELECT release_account('alice')");
    world.enroll(&renewal.draft.enrollment_token);
    let start = world.open(&renewal.draft.enrollment_token);
    world.activate(&start, Some(1));
    assert_eq!(is_used(&world), Some(true), "after the activation too");
}

#[test]
fn a_secret_is_stored_only_over_what_its_load_saw() {
    let mut world = World::new();
    let account = world.start("alice");
    let token = &account.draft.enrollment_token;
    world.reveal(&account.draft.reveal_token);
    let stale = world.open(token);
    world.enroll(token);
    let new = enroll::make_secret(&stale, &world.keys, &mut world.randomness).unwrap();
    assert_eq!(store::enroll::commit(&world.store, &stale, &new), Ok(enroll::Outcome::Superseded));
    let fresh = world.open(token);
    end_starts(&world);
    assert_eq!(store::enroll::commit(&world.store, &fresh, &new), Ok(enroll::Outcome::Ended));
}

#[test]
fn a_renewal_token_pays_for_one_start_of_its_own_account() {
    let mut world = World::new();
    let [bob, owner] = ["bob", "alice"].map(|name| world.owner(name));
    world.sql("UPDATE credential SET expires_at = now()");
    // Both may renew, each with a token of their own.
    let step = world.next_step();
    world.login(&bob, Some(step));
    let (_, tickets) = world.login(&owner, Some(step));
    let attempt = |name: &str, seed| {
        let username = Username::parse(name).unwrap();
        renew::decide(&tickets.renewal_token, username, &mut Seeded::new(seed)).unwrap()
    };
    assert!(
        store::start::renew(&world.store, &attempt("bob", 7)).unwrap().is_none(),
        "another account's name"
    );
    let renewed = race(&world.database, CONTENDERS, |connection, contender| {
        store::start::renew(connection, &attempt("alice", 100 + contender)).unwrap().is_some()
    });
    assert_eq!(renewed.iter().filter(|won| **won).count(), 1);
    let drafts = "SELECT string_agg(username, ' ') FROM credential JOIN account ON account.id = account_id WHERE NOT live";
    assert_eq!(world.text(drafts), "alice");
    assert_eq!(world.text("SELECT count(*) FROM renewal_token"), "1", "the other's is not used up");
}

#[test]
fn a_newer_renewal_replaces_the_unconfirmed_credential_and_its_tokens() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let mut drafts = Vec::new();
    for _ in 0..2 {
        let step = world.next_step();
        let (_, tickets) = world.login(&owner, Some(step));
        let renewal =
            renew::decide(&tickets.renewal_token, owner.username.clone(), &mut world.randomness).unwrap();
        store::start::renew(&world.store, &renewal).unwrap().unwrap();
        drafts.push(renewal.draft);
    }
    assert!(store::start::load(&world.store, &drafts[0].enrollment_token.hash()).unwrap().is_none());
    assert!(store::reveal::load(&world.store, &drafts[0].reveal_token.hash()).unwrap().is_none());
    let (open, token) = (world.open(&drafts[1].enrollment_token), drafts[1].enrollment_token.hash());
    assert_eq!(open.credential_id, drafts[1].credential_id);
    let code = PlainToken::generate(&mut world.randomness).unwrap();
    let issued = store::start::replace_code(&world.store, &open, &token, &code).unwrap();
    assert!(issued.is_some(), "a renewal may have a new code too");
}

#[test]
fn an_old_renewal_token_buys_nothing() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let step = world.next_step();
    let (_, tickets) = world.login(&owner, Some(step));
    world.sql("UPDATE renewal_token SET expires_at = now()");
    let renewal = renew::decide(&tickets.renewal_token, owner.username, &mut world.randomness).unwrap();
    assert!(store::start::renew(&world.store, &renewal).unwrap().is_none());
    assert_eq!(world.events("renew", "token_invalid"), 1);
}

fn end_starts(world: &World) {
    world.sql(
        "UPDATE credential SET deadline = now(), reveal_expires_at = least(reveal_expires_at, now()) WHERE NOT live;
         UPDATE account SET pending_until = now() WHERE state = 'pending'",
    );
}
