//! Starts, new codes, reveals, secrets, renewals.

use domain::{PlainToken, Username};
use journey::start::{NewAccount, Progress, Renewal};
use journey::{Refusal, reveal};

use harness::seeded::Seeded;

use crate::race::race;
use crate::world::{World, can_go_on, decided};

const CONTENDERS: u64 = 20;

fn is_known(world: &World, code: &PlainToken) -> bool {
    reveal::load(&world.app, &code.hash()).unwrap().is_some()
}

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
        assert!(!world.try_start(name), "{name}");
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
    assert!(!can_go_on(&world.app, &old.draft.enrollment_token));
    let new = world.start("alice");
    assert_ne!(old.account_id, new.account_id);
    assert!(!is_known(&world, &old.draft.reveal_token));
    assert!(!can_go_on(&world.app, &old.draft.enrollment_token));
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
        let outcomes = race(&world.database, CONTENDERS, |connection, contender| {
            let mut randomness = Seeded::new(100 + contender);
            let account = NewAccount::draw(Username::parse(name).unwrap(), &mut randomness).unwrap();
            decided(account.create(connection))
        });
        let refusals: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
        assert_eq!(refusals, [Refusal::UsernameTaken; 19], "{name}");
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
    let draft = world.start("alice").draft;
    let token = &draft.enrollment_token;
    let before = world.prepare(&draft);
    let new_code = world.new_code(token);
    new_code.replace(&world.app).unwrap();
    let after = world.open(token);
    assert!(matches!(after.progress, Progress::Unrevealed));
    assert!(after.revision.0 > before.revision.0);
    assert!(!is_known(&world, &draft.reveal_token));
    world.reveal(&new_code.reveal_token);
    assert_eq!((world.events("new_code", "ok"), world.events("new_code", "token_invalid")), (1, 0));
}

#[test]
fn a_code_never_outlives_its_start() {
    let mut world = World::new();
    let draft = world.start("alice").draft;
    world.sql("UPDATE credential SET deadline = now() + '5 minutes', reveal_expires_at = now()");
    let new_code = world.new_code(&draft.enrollment_token);
    let reveal_expires_at = new_code.replace(&world.app).unwrap();
    assert_eq!(world.text("SELECT reveal_expires_at = deadline FROM credential"), "true");
    let deadline = world.text("SELECT floor(extract(epoch FROM deadline))::bigint FROM credential");
    assert_eq!(reveal_expires_at.seconds().to_string(), deadline);
    end_starts(&world);
    assert_eq!(decided(new_code.replace(&world.app)), Err(Refusal::TokenInvalid));
}

#[test]
fn of_many_reveals_of_one_code_one_wins_and_its_password_is_the_one_that_works() {
    let mut world = World::new();
    let account = world.start("alice");
    let code = account.draft.reveal_token.hash();
    let keys = &world.keys;
    let outcomes = race(&world.database, CONTENDERS, |connection, contender| {
        let snapshot = reveal::load(connection, &code).unwrap().unwrap();
        let new = reveal::new_password(snapshot, code, keys, &mut Seeded::new(100 + contender)).unwrap();
        (decided(new.commit(connection)), new.password)
    });
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(outcome, _)| outcome.is_ok());
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|(outcome, _)| *outcome == Err(Refusal::TokenUsed)));
    let open = world.open(&account.draft.enrollment_token);
    let Progress::Revealed { verifier } = &open.progress else { panic!("{:?}", open.progress) };
    let verifier = verifier.open(&world.keys, open.account_id, open.credential_id).unwrap();
    assert!(verifier.matches(&won[0].1, open.account_id, open.credential_id));
}

#[test]
fn a_reveal_that_lost_to_a_new_code_or_to_the_clock_says_so_and_stores_nothing() {
    let mut world = World::new();
    let draft = world.start("alice").draft;
    let new = world.new_password(&draft.reveal_token);
    world.sql("UPDATE credential SET reveal_expires_at = now()");
    assert_eq!(decided(new.commit(&world.app)), Err(Refusal::TokenExpired));
    world.new_code(&draft.enrollment_token).replace(&world.app).unwrap();
    assert_eq!(decided(new.commit(&world.app)), Err(Refusal::TokenUnknown));
    assert!(!world.open(&draft.enrollment_token).is_revealed());
    assert_eq!((world.events("reveal", "token_expired"), world.events("reveal", "token_unknown")), (1, 1));
}

#[test]
fn a_code_is_known_once_it_was_used_and_else_only_while_its_account_may_be_activated() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let draft = world.renew(&owner);
    let code = &draft.reveal_token;
    let is_used =
        |world: &World| reveal::load(&world.app, &code.hash()).unwrap().map(|snapshot| snapshot.is_revealed);
    assert_eq!(is_used(&world), Some(false));
    world.sql("SELECT suspend_account('alice')");
    assert_eq!(is_used(&world), None);
    world.sql("SELECT release_account('alice')");
    world.reveal(code);
    world.sql("SELECT suspend_account('alice')");
    assert_eq!(is_used(&world), Some(true));
    world.sql("SELECT release_account('alice')");
    world.enroll(&draft.enrollment_token);
    let start = world.open(&draft.enrollment_token);
    world.activate(&start, Some(1)).unwrap();
    assert_eq!(is_used(&world), Some(true), "after the activation too");
}

#[test]
fn a_secret_is_stored_only_over_what_its_load_saw() {
    let mut world = World::new();
    let draft = world.start("alice").draft;
    let token = &draft.enrollment_token;
    world.reveal(&draft.reveal_token);
    let stale = world.new_secret(world.open(token));
    world.enroll(token);
    assert_eq!(decided(stale.commit(&world.app)), Err(Refusal::Superseded));
    let fresh = world.new_secret(world.open(token));
    end_starts(&world);
    assert_eq!(decided(fresh.commit(&world.app)), Err(Refusal::TokenInvalid));
}

#[test]
fn a_renewal_token_pays_for_one_start_of_its_own_account() {
    let mut world = World::new();
    let [bob, owner] = ["bob", "alice"].map(|name| world.owner(name));
    world.sql("UPDATE credential SET expires_at = now()");
    // Both may renew, each with a token of their own.
    world.renewal_token(&bob);
    let token = world.renewal_token(&owner);
    let attempt =
        |username: &Username, seed| Renewal::draw(&token, username.clone(), &mut Seeded::new(seed)).unwrap();
    let others = decided(attempt(&bob.username, 7).begin(&world.app));
    assert_eq!(others, Err(Refusal::TokenInvalid), "another account's name");
    let renewed = race(&world.database, CONTENDERS, |connection, contender| {
        decided(attempt(&owner.username, 100 + contender).begin(connection))
    });
    let refusals: Vec<_> = renewed.into_iter().filter_map(Result::err).collect();
    assert_eq!(refusals, [Refusal::TokenInvalid; 19]);
    let drafts = "SELECT string_agg(username, ' ') FROM credential JOIN account ON account.id = account_id WHERE NOT live";
    assert_eq!(world.text(drafts), "alice");
    assert_eq!(world.text("SELECT count(*) FROM renewal_token"), "1", "the other's is not used up");
}

#[test]
fn a_newer_renewal_replaces_the_unconfirmed_credential_and_its_tokens() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let [first, second] = [(); 2].map(|()| world.renew(&owner));
    assert!(!can_go_on(&world.app, &first.enrollment_token));
    assert!(!is_known(&world, &first.reveal_token));
    let new_code = world.new_code(&second.enrollment_token);
    assert_eq!(new_code.start.credential_id, second.credential_id);
    assert!(decided(new_code.replace(&world.app)).is_ok(), "a renewal may have a new code too");
}

#[test]
fn an_old_renewal_token_buys_nothing() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let renewal = world.renewal(&owner);
    world.sql("UPDATE renewal_token SET expires_at = now()");
    assert_eq!(decided(renewal.begin(&world.app)), Err(Refusal::TokenInvalid));
    assert_eq!(world.events("renew", "token_invalid"), 1);
}

pub(crate) fn end_starts(world: &World) {
    world.sql(
        "UPDATE credential SET deadline = now(), reveal_expires_at = least(reveal_expires_at, now()) WHERE NOT live;
         UPDATE account SET pending_until = now() WHERE state = 'pending'",
    );
}
