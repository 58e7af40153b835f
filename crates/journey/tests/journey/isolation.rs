//! A statement changes one account, from what is true when it has its turn, and nothing else.

use std::thread;
use std::time::Duration;

use domain::journey::{NewDraft, OpenStart, activate, deletion, enroll, login, renew, reveal};
use domain::{LockSchedule, PlainToken, Step};
use harness::{NativeDatabase, TestDatabase};
use store::login::RightPassword;

use crate::journey::{Owner, Seeded, World};
use crate::purge::add_draft;

/// All rows of all accounts but alice's.
const OTHERS: &str = "SELECT string_agg(line, ';' ORDER BY line) FROM (
    SELECT account::text AS line FROM account WHERE username <> 'alice'
    UNION ALL SELECT credential::text FROM credential JOIN account ON account.id = account_id WHERE username <> 'alice'
    UNION ALL SELECT session::text FROM session JOIN credential ON credential.id = session.credential_id
        JOIN account ON account.id = account_id WHERE username <> 'alice'
    UNION ALL SELECT renewal_token::text FROM renewal_token JOIN credential ON credential.id = renewal_token.credential_id
        JOIN account ON account.id = account_id WHERE username <> 'alice') AS rows";

/// Alice's account is left as it is; her credentials expire, and she begins again.
fn renewing(world: &mut World, owner: &Owner) -> NewDraft {
    world.sql(
        "UPDATE credential SET expires_at = now() FROM account WHERE account.id = account_id AND username = 'alice' AND live",
    );
    let step = world.next_step();
    let (outcome, tickets) = world.login(owner, Some(step));
    assert_eq!(outcome, login::Outcome::Expired);
    let renewal =
        renew::decide(&tickets.renewal_token, owner.username.clone(), &mut world.randomness).unwrap();
    store::start::renew(&world.store, &renewal).unwrap().expect("the token is good");
    renewal.draft
}

/// Accounts in every state, each with all that it may have.
fn others(world: &mut World) {
    world.owner("active");
    world.owner("suspended");
    let expired = world.owner("expired");
    let pending = world.start("pending");
    world.reveal(&pending.draft.reveal_token);
    world.enroll(&pending.draft.enrollment_token);
    world.sql(
        "UPDATE account SET state = username, wrong_codes = 3 WHERE username IN ('suspended', 'expired');
         UPDATE credential SET wrong_codes = 3 WHERE NOT live",
    );
    world.sql(&format!(
        "INSERT INTO renewal_token SELECT sha256('other'), credential_id, now() FROM account WHERE id = '{}'",
        expired.account_id
    ));
}

#[test]
fn the_journey_of_one_account_leaves_all_others_as_they_are() {
    let mut world = World::new();
    others(&mut world);
    let before = world.text(OTHERS);
    let same = |world: &World, after: &str| assert_eq!(world.text(OTHERS), before, "after {after}");

    let account = world.start("alice");
    let token = account.draft.enrollment_token;
    world.reveal(&account.draft.reveal_token);
    world.enroll(&token);
    same(&world, "a secret");
    let code = PlainToken::generate(&mut world.randomness).unwrap();
    store::start::replace_code(&world.store, &world.open(&token), &token.hash(), &code).unwrap().unwrap();
    same(&world, "a new code");
    world.sql("DELETE FROM account WHERE username = 'alice'");

    let owner = world.owner("alice");
    same(&world, "an activation");
    world.login(&owner, None);
    same(&world, "a wrong code");
    let step = world.next_step();
    let (_, tickets) = world.login(&owner, Some(step));
    same(&world, "a login");
    store::session::touch(&world.store, &tickets.session.token.hash()).unwrap().expect("it is open");
    same(&world, "a look at the session");
    assert_eq!(store::session::end(&world.store, &tickets.session.token.hash()), Ok(true));
    same(&world, "a logout");
    let draft = renewing(&mut world, &owner);
    same(&world, "a renewal");
    world.reveal(&draft.reveal_token);
    world.enroll(&draft.enrollment_token);
    let start = world.open(&draft.enrollment_token);
    assert_eq!(world.activate(&start, None).0, activate::Outcome::WrongCode);
    same(&world, "a wrong code of a start");
    let start = world.open(&draft.enrollment_token);
    world.activate(&start, Some(1));
    same(&world, "an activation that replaces");
}

#[test]
fn a_start_that_ends_by_wrong_codes_ends_alone_and_a_renewal_leaves_its_account_expired() {
    let mut world = World::new();
    others(&mut world);
    let owner = world.owner("alice");
    let draft = renewing(&mut world, &owner);
    let started = world.start("bob");
    let before = world.text("SELECT pending_until FROM account WHERE username = 'pending'");
    for (token, code, state) in [
        (&draft.enrollment_token, &draft.reveal_token, "expired"),
        (&started.draft.enrollment_token, &started.draft.reveal_token, "pending"),
    ] {
        world.reveal(code);
        world.enroll(token);
        let start = world.open(token);
        assert_eq!(world.activate(&start, None).0, activate::Outcome::WrongCode);
        let id = start.account_id;
        let is_over =
            format!("SELECT coalesce(pending_until <= now(), false) FROM account WHERE id = '{id}'");
        assert_eq!(world.text(&is_over), "false", "one wrong code ends nothing");
        let last = LockSchedule::ACTIVATION.stop_at - 1;
        world.sql(&format!(
            "UPDATE credential SET wrong_codes = {last} WHERE account_id = '{id}' AND NOT live"
        ));
        let start = world.open(token);
        assert_eq!(world.activate(&start, None).0, activate::Outcome::StartEnded);
        assert_eq!(world.text(&format!("SELECT state FROM account WHERE id = '{id}'")), state);
    }
    assert_eq!(world.text("SELECT pending_until FROM account WHERE username = 'pending'"), before);
}

#[test]
fn a_session_opens_its_own_account_and_is_the_only_one_that_this_uses() {
    let mut world = World::new();
    let owners = ["alice", "bob", "carol"].map(|name| world.owner(name));
    add_draft(&world, "bob");
    for owner in &owners {
        let (name, token) = (owner.username.as_str(), owner.session.hash());
        let proof = world.right_password(owner, None);
        world.sql(&format!(
            "UPDATE credential SET expires_at = now() + '1 day' WHERE live;
             UPDATE credential SET expires_at = now() + '2 days' WHERE id = '{}';
             UPDATE session SET last_seen_at = now() - '10 minutes'::interval",
            proof.credential_id
        ));
        let expires_at =
            world.text("SELECT floor(extract(epoch FROM max(expires_at)))::bigint FROM credential");
        let is_used = "SELECT string_agg(username, ' ') FROM session JOIN account USING (credential_id)
            WHERE last_seen_at > now() - '5 minutes'::interval";

        let account = store::account::load(&world.store, &token).unwrap().unwrap();
        assert_eq!((account.account_id, account.username.as_str()), (owner.account_id, name));
        assert_eq!(account.credential.expires_at.seconds().to_string(), expires_at, "{name}");
        assert_eq!(account.unconfirmed.is_some(), name == "bob");
        assert_eq!(world.text(is_used), name);
        let snapshot = store::deletion::load(&world.store, &token).unwrap().unwrap();
        let credential = snapshot.credential.expect("there is a live one");
        assert_eq!((snapshot.account_id, credential.account_id), (Some(owner.account_id), owner.account_id));
        assert_eq!(credential.credential_id, proof.credential_id, "{name}");
        let session = store::session::touch(&world.store, &token).unwrap().unwrap();
        assert_eq!(session.username, owner.username);
        assert_eq!(session.expires_at.seconds().to_string(), expires_at, "{name}");
        assert_eq!(store::session::list(&world.store, &token).unwrap().unwrap().len(), 1, "{name}");
        assert_eq!(world.text(is_used), name);
    }
    let [_, bob, carol] = owners;
    let open =
        "SELECT string_agg(username, ' ' ORDER BY username) FROM session JOIN account USING (credential_id)";
    for (owner, left) in [(bob, "alice carol"), (carol, "alice")] {
        assert_eq!(store::session::end(&world.store, &owner.session.hash()), Ok(true));
        assert_eq!(world.text(open), left);
    }
    let told = "SELECT string_agg(username, ' ' ORDER BY event.id) FROM event JOIN account ON account.id = account_id
        WHERE kind = 'logout'";
    assert_eq!(world.text(told), "bob carol");
}

#[test]
fn a_code_and_a_start_are_those_of_their_own_account() {
    let mut world = World::new();
    world.owner("live");
    let accounts = ["alice", "bob", "carol"].map(|name| world.start(name));
    for account in &accounts {
        let code = store::reveal::load(&world.store, &account.draft.reveal_token.hash())
            .unwrap()
            .expect("it is known");
        assert_eq!((code.account_id, &code.username), (account.account_id, &account.username));
        assert_eq!(code.credential_id, account.draft.credential_id);
        let start = world.open(&account.draft.enrollment_token);
        assert_eq!((start.account_id, &start.username), (account.account_id, &account.username));
        assert_eq!(start.credential_id, account.draft.credential_id);
    }
}

/// A start that names what does not belong together.
fn mixed(world: &mut World) -> Vec<(&'static str, OpenStart)> {
    let owner = world.owner("live");
    let (alice, bob) = (world.start("alice"), world.start("bob"));
    for account in [&alice, &bob] {
        world.reveal(&account.draft.reveal_token);
        world.enroll(&account.draft.enrollment_token);
    }
    let open = |account: &domain::journey::start::NewAccount| world.open(&account.draft.enrollment_token);
    let live = |column: &str| world.text(&format!("SELECT {column} FROM credential WHERE live"));
    let live_id = domain::CredentialId::from_uuid(live("id").parse().unwrap());
    let live_revision = domain::journey::Revision(live("revision").parse().unwrap());
    vec![
        ("another's account", OpenStart { account_id: bob.account_id, ..open(&alice) }),
        ("another's credential", OpenStart { credential_id: bob.draft.credential_id, ..open(&alice) }),
        ("a live account without a start", OpenStart { account_id: owner.account_id, ..open(&alice) }),
        (
            "a live credential",
            OpenStart {
                account_id: owner.account_id,
                credential_id: live_id,
                revision: live_revision,
                ..open(&alice)
            },
        ),
    ]
}

#[test]
fn a_secret_is_stored_for_the_start_that_was_loaded_and_for_no_other() {
    let mut world = World::new();
    for (what, start) in mixed(&mut world) {
        let before = world.text("SELECT string_agg(credential::text, ';' ORDER BY id) FROM credential");
        let new = enroll::make_secret(&start, &world.keys, &mut world.randomness).unwrap();
        assert_eq!(
            store::enroll::commit(&world.store, &start, &new),
            Ok(enroll::Outcome::Superseded),
            "{what}"
        );
        let after = world.text("SELECT string_agg(credential::text, ';' ORDER BY id) FROM credential");
        assert_eq!(after, before, "{what}");
    }
}

#[test]
fn an_activation_is_of_the_start_that_was_loaded_and_of_no_other() {
    let mut world = World::new();
    for (what, start) in mixed(&mut world) {
        assert_eq!(world.activate(&start, Some(100)).0, activate::Outcome::Superseded, "{what}");
    }
}

#[test]
fn a_password_is_revealed_for_the_code_that_was_loaded_and_for_no_other() {
    let mut world = World::new();
    let (alice, bob) = (world.start("alice"), world.start("bob"));
    let code = alice.draft.reveal_token.hash();
    let load = |world: &World| store::reveal::load(&world.store, &code).unwrap().unwrap();
    let new = reveal::make_password(&load(&world), &world.keys, &mut world.randomness).unwrap();
    let (loaded, others_code) = (load(&world), bob.draft.reveal_token.hash());
    for (what, account_id, credential_id, code) in [
        ("another's account", bob.account_id, loaded.credential_id, &code),
        ("another's credential", loaded.account_id, bob.draft.credential_id, &code),
        ("another's code", loaded.account_id, loaded.credential_id, &others_code),
    ] {
        let mixed = reveal::RevealSnapshot { account_id, credential_id, ..load(&world) };
        let outcome = store::reveal::commit(&world.store, &mixed, code, &new).unwrap();
        assert_eq!(outcome, reveal::Outcome::Unknown, "{what}");
        assert_eq!(
            world.text("SELECT count(*) FROM credential WHERE revealed_at IS NOT NULL"),
            "0",
            "{what}"
        );
    }
}

#[test]
fn a_new_code_is_for_the_start_that_was_loaded_and_for_no_other() {
    let mut world = World::new();
    let (alice, bob) = (world.start("alice"), world.start("bob"));
    let (own, others) = (alice.draft.enrollment_token.hash(), bob.draft.enrollment_token.hash());
    let open = || world.open(&alice.draft.enrollment_token);
    let code = PlainToken::generate(&mut Seeded::new(9)).unwrap();
    let before = world.text("SELECT string_agg(credential::text, ';' ORDER BY id) FROM credential");
    for (what, start, token) in [
        ("another's account", OpenStart { account_id: bob.account_id, ..open() }, &own),
        ("another's credential", OpenStart { credential_id: bob.draft.credential_id, ..open() }, &own),
        ("another's token", open(), &others),
    ] {
        let issued = store::start::replace_code(&world.store, &start, token, &code).unwrap();
        assert!(issued.is_none(), "{what}");
        let after = world.text("SELECT string_agg(credential::text, ';' ORDER BY id) FROM credential");
        assert_eq!(after, before, "{what}");
    }
    assert_eq!(world.events("new_code", "token_invalid"), 3);
}

#[test]
fn a_deletion_is_of_the_live_credential_that_was_checked_and_of_no_other() {
    let mut world = World::new();
    let (alice, bob) = (world.owner("alice"), world.owner("bob"));
    add_draft(&world, "alice");
    // Nobody can have this one. It would prove nothing.
    let of_draft = PlainToken::generate(&mut world.randomness).unwrap();
    world
        .database
        .owner()
        .execute(
            "INSERT INTO session (hash, id, credential_id, failed_before)
         SELECT $1, gen_random_uuid(), id, 0 FROM credential WHERE NOT live",
            &[&of_draft.hash().as_bytes().as_slice()],
        )
        .unwrap();
    let draft = world.text("SELECT id FROM credential WHERE NOT live").parse().unwrap();
    let step = world.next_step();
    let [proof, others] = [&alice, &bob].map(|owner| world.right_password(owner, Some(step)));
    for (what, mixed, session) in [
        ("another's account", RightPassword { account_id: bob.account_id, ..proof }, &alice.session),
        (
            "another's credential",
            RightPassword { credential_id: others.credential_id, ..proof },
            &alice.session,
        ),
        ("another's session", proof, &bob.session),
        (
            "a credential that is not live",
            RightPassword { credential_id: domain::CredentialId::from_uuid(draft), ..proof },
            &of_draft,
        ),
    ] {
        let outcome = store::deletion::commit(&world.store, &mixed, &session.hash()).unwrap();
        assert_eq!(outcome, deletion::Outcome::NoSession, "{what}");
        assert_eq!(world.text("SELECT count(*) FROM account"), "2", "{what}");
    }
    let wrong = RightPassword { step: None, ..proof };
    let outcome = store::deletion::commit(&world.store, &wrong, &alice.session.hash()).unwrap();
    assert_eq!(outcome, deletion::Outcome::WrongCode);
    assert_eq!(world.text("SELECT wrong_codes FROM account WHERE username = 'bob'"), "0");
}

/// Runs `act` while a transaction is open that has done `first`, and commits it when `act` waits for it.
fn meanwhile<T: Send>(
    database: &TestDatabase,
    first: &str,
    act: impl FnOnce(&NativeDatabase) -> T + Send,
) -> T {
    let mut owner = database.owner();
    let mut transaction = owner.transaction().unwrap();
    transaction.batch_execute(first).unwrap();
    let waiting =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid";
    thread::scope(|scope| {
        let acting = scope.spawn(|| act(&database.store()));
        while !acting.is_finished() && transaction.query_one(waiting, &[]).unwrap().get::<_, i64>(0) == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        transaction.commit().unwrap();
        acting.join().unwrap()
    })
}

/// An account that is being renewed, with a password and a secret; its start, and its tokens.
fn ready(world: &mut World) -> (OpenStart, NewDraft) {
    let owner = world.owner("alice");
    let draft = renewing(world, &owner);
    world.reveal(&draft.reveal_token);
    world.enroll(&draft.enrollment_token);
    (world.open(&draft.enrollment_token), draft)
}

const SUSPEND: &str = "SELECT suspend_account('alice')";
const CHANGE: &str = "SELECT FROM account WHERE username = 'alice' FOR UPDATE;
    UPDATE credential SET revision = revision + 1 WHERE NOT live";

#[test]
fn an_activation_decides_from_what_the_one_before_it_has_left() {
    for (first, expected) in [(SUSPEND, activate::Outcome::Ended), (CHANGE, activate::Outcome::Superseded)] {
        let mut world = World::new();
        let (start, _) = ready(&mut world);
        let session = world.new_session();
        let expires_at = domain::credential_expiry(start.now);
        let outcome = meanwhile(&world.database, first, |store| {
            store::activate::commit(store, &start, Some(Step::from_value(1)), expires_at, &session).unwrap()
        });
        assert_eq!(outcome, expected, "{first}");
    }
}

#[test]
fn a_secret_is_stored_by_what_the_one_before_it_has_left() {
    for (first, expected) in [(SUSPEND, enroll::Outcome::Ended), (CHANGE, enroll::Outcome::Superseded)] {
        let mut world = World::new();
        let (start, _) = ready(&mut world);
        let new = enroll::make_secret(&start, &world.keys, &mut world.randomness).unwrap();
        let secret = "SELECT totp_secret FROM credential WHERE NOT live";
        let before = world.text(secret);
        let outcome =
            meanwhile(&world.database, first, |store| store::enroll::commit(store, &start, &new).unwrap());
        assert_eq!(outcome, expected, "{first}");
        assert_eq!(world.text(secret), before, "{first}");
    }
}

#[test]
fn a_password_is_revealed_by_what_the_one_before_it_has_left() {
    let used = "SELECT FROM account WHERE username = 'alice' FOR UPDATE;
        UPDATE credential SET revealed_at = now(), verifier = '', verifier_algorithm = 1 WHERE NOT live";
    for (first, expected) in [(SUSPEND, reveal::Outcome::Unknown), (used, reveal::Outcome::Used)] {
        let mut world = World::new();
        let owner = world.owner("alice");
        let code = renewing(&mut world, &owner).reveal_token;
        let snapshot = store::reveal::load(&world.store, &code.hash()).unwrap().unwrap();
        let new = reveal::make_password(&snapshot, &world.keys, &mut world.randomness).unwrap();
        let outcome = meanwhile(&world.database, first, |store| {
            store::reveal::commit(store, &snapshot, &code.hash(), &new).unwrap()
        });
        assert_eq!(outcome, expected, "{first}");
    }
}

#[test]
fn a_suspension_that_came_first_leaves_neither_a_new_code_nor_a_renewal() {
    let mut world = World::new();
    let (start, draft) = ready(&mut world);
    let code = PlainToken::generate(&mut world.randomness).unwrap();
    let token = draft.enrollment_token.hash();
    let issued = meanwhile(&world.database, SUSPEND, |store| {
        store::start::replace_code(store, &start, &token, &code).unwrap()
    });
    assert!(issued.is_none());

    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let step = world.next_step();
    let (_, tickets) = world.login(&owner, Some(step));
    let renewal = renew::decide(&tickets.renewal_token, owner.username.clone(), &mut Seeded::new(9)).unwrap();
    let renewed = meanwhile(&world.database, SUSPEND, |store| store::start::renew(store, &renewal).unwrap());
    assert!(renewed.is_none());
    assert_eq!(world.text("SELECT count(*) FROM renewal_token"), "1", "the token is not used up");
}

#[test]
fn a_login_is_of_the_live_credential_that_was_checked_and_of_no_other() {
    let mut world = World::new();
    let (alice, bob) = (world.owner("alice"), world.owner("bob"));
    let started = world.start("carol");
    let proof = RightPassword {
        step: Some(Step::from_value(world.next_step())),
        ..world.right_password(&alice, None)
    };
    let carol = RightPassword { account_id: started.account_id, ..proof };
    for (what, mixed) in [
        ("another's account", RightPassword { account_id: bob.account_id, ..proof }),
        (
            "a credential that is not live",
            RightPassword { credential_id: started.draft.credential_id, ..carol },
        ),
    ] {
        let tickets = world.tickets();
        let outcome = store::login::commit(&world.store, &mixed, &tickets).unwrap();
        assert_eq!(outcome, login::Outcome::Stale, "{what}");
    }
}

#[test]
fn a_login_decides_from_what_the_one_before_it_has_left() {
    let used = "SELECT FROM account WHERE username = 'alice' FOR UPDATE; UPDATE credential SET last_step = last_step + 9";
    for (first, expected) in [(SUSPEND, login::Outcome::Suspended), (used, login::Outcome::ReusedCode)] {
        let mut world = World::new();
        let owner = world.owner("alice");
        let step = world.next_step();
        let (proof, tickets) = (world.right_password(&owner, Some(step)), world.tickets());
        let outcome =
            meanwhile(&world.database, first, |store| store::login::commit(store, &proof, &tickets).unwrap());
        assert_eq!(outcome, expected, "{first}");
    }
}

#[test]
fn an_account_that_has_expired_stays_so_whatever_its_credential_says() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE account SET state = 'expired'");
    let step = world.next_step();
    assert_eq!(world.login(&owner, Some(step)).0, login::Outcome::Expired);
}
