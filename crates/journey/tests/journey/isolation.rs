//! A statement changes one account, from what is true when it has its turn, and nothing else.

use domain::{CredentialId, LockSchedule, PlainToken, Step};
use journey::account::{self, deletion};
use journey::session;
use journey::start::{NewCode, NewDraft, OpenStart, Revision};
use journey::{Refusal, RightPassword, login, reveal};

use crate::purge::add_draft;
use crate::race::waits_for_owner;
use crate::world::{Owner, World, activate, decided, has_expired, is_open};

/// All rows of all accounts but alice's.
const OTHERS: &str = "SELECT string_agg(line, ';' ORDER BY line) FROM (
    SELECT account::text AS line FROM account WHERE username <> 'alice'
    UNION ALL SELECT credential::text FROM credential JOIN account ON account.id = account_id WHERE username <> 'alice'
    UNION ALL SELECT session::text FROM session JOIN credential ON credential.id = session.credential_id
        JOIN account ON account.id = account_id WHERE username <> 'alice'
    UNION ALL SELECT renewal_token::text FROM renewal_token JOIN credential ON credential.id = renewal_token.credential_id
        JOIN account ON account.id = account_id WHERE username <> 'alice') AS rows";

const CREDENTIALS: &str = "SELECT string_agg(credential::text, ';' ORDER BY id) FROM credential";

/// Alice's account is left as it is; her credentials expire, and she begins again.
fn renewing(world: &mut World, owner: &Owner) -> NewDraft {
    world.sql(
        "UPDATE credential SET expires_at = now() FROM account WHERE account.id = account_id AND username = 'alice' AND live",
    );
    world.renew(owner)
}

/// Accounts in every state, each with all that it may have.
fn others(world: &mut World) {
    world.owner("active");
    world.owner("suspended");
    let expired = world.owner("expired");
    let pending = world.start("pending");
    world.prepare(&pending.draft);
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

    let draft = world.start("alice").draft;
    world.prepare(&draft);
    same(&world, "a secret");
    world.new_code(&draft.enrollment_token).replace(&world.app).unwrap();
    same(&world, "a new code");
    world.sql("DELETE FROM account WHERE username = 'alice'");

    let owner = world.owner("alice");
    same(&world, "an activation");
    assert_eq!(world.login(&owner, None).unwrap_err(), Refusal::WrongCode);
    same(&world, "a wrong code");
    let step = world.next_step();
    let session = world.sign_in(&owner, step).token;
    same(&world, "a login");
    assert!(is_open(&world.app, &session));
    same(&world, "a look at the session");
    session::end(&world.app, &session.hash()).unwrap();
    same(&world, "a logout");
    let draft = renewing(&mut world, &owner);
    same(&world, "a renewal");
    let start = world.prepare(&draft);
    assert_eq!(world.activate(&start, None).unwrap_err(), Refusal::WrongCode);
    same(&world, "a wrong code of a start");
    let start = world.open(&draft.enrollment_token);
    world.activate(&start, Some(1)).unwrap();
    same(&world, "an activation that replaces");
}

#[test]
fn a_start_that_ends_by_wrong_codes_ends_alone_and_a_renewal_leaves_its_account_expired() {
    let mut world = World::new();
    others(&mut world);
    let owner = world.owner("alice");
    let draft = renewing(&mut world, &owner);
    let started = world.start("bob").draft;
    let before = world.text("SELECT pending_until FROM account WHERE username = 'pending'");
    for (draft, state) in [(&draft, "expired"), (&started, "pending")] {
        let start = world.prepare(draft);
        assert_eq!(world.activate(&start, None).unwrap_err(), Refusal::WrongCode);
        let id = start.account_id;
        let is_over =
            format!("SELECT coalesce(pending_until <= now(), false) FROM account WHERE id = '{id}'");
        assert_eq!(world.text(&is_over), "false", "one wrong code ends nothing");
        let last = LockSchedule::ACTIVATION.stop_at - 1;
        world.sql(&format!(
            "UPDATE credential SET wrong_codes = {last} WHERE account_id = '{id}' AND NOT live"
        ));
        let start = world.open(&draft.enrollment_token);
        assert_eq!(world.activate(&start, None).unwrap_err(), Refusal::StartEnded);
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

        let account = account::load(&world.app, &token).unwrap().unwrap();
        assert_eq!((account.account_id, account.username.as_str()), (owner.account_id, name));
        assert_eq!(account.credential.unwrap().expires_at.seconds().to_string(), expires_at, "{name}");
        assert_eq!(account.unconfirmed.is_some(), name == "bob");
        assert_eq!(world.text(is_used), name);
        let snapshot = deletion::load(&world.app, &token).unwrap().unwrap();
        let credential = snapshot.credential.expect("there is a live one");
        assert_eq!((snapshot.account_id, credential.account_id), (Some(owner.account_id), owner.account_id));
        assert_eq!(credential.credential_id, proof.credential_id, "{name}");
        let session = session::touch(&world.app, &token).unwrap();
        assert_eq!(session.username, owner.username);
        assert_eq!(session.expires_at.seconds().to_string(), expires_at, "{name}");
        assert_eq!(session::list(&world.app, &token).unwrap().len(), 1, "{name}");
        assert_eq!(world.text(is_used), name);
    }
    let [_, bob, carol] = owners;
    let open =
        "SELECT string_agg(username, ' ' ORDER BY username) FROM session JOIN account USING (credential_id)";
    for (owner, left) in [(bob, "alice carol"), (carol, "alice")] {
        session::end(&world.app, &owner.session.hash()).unwrap();
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
        let code =
            reveal::load(&world.app, &account.draft.reveal_token.hash()).unwrap().expect("it is known");
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
        world.prepare(&account.draft);
    }
    let open = || world.open(&alice.draft.enrollment_token);
    let live = |column: &str| world.text(&format!("SELECT {column} FROM credential WHERE live"));
    let live_id = CredentialId::from_uuid(live("id").parse().unwrap());
    let live_revision = Revision(live("revision").parse().unwrap());
    let of_live = OpenStart { account_id: owner.account_id, credential_id: live_id, ..open() };
    vec![
        ("another's account", OpenStart { account_id: bob.account_id, ..open() }),
        ("another's credential", OpenStart { credential_id: bob.draft.credential_id, ..open() }),
        ("a live account without a start", OpenStart { account_id: owner.account_id, ..open() }),
        ("a live credential", OpenStart { revision: live_revision, ..of_live }),
    ]
}

#[test]
fn a_secret_is_stored_for_the_start_that_was_loaded_and_for_no_other() {
    let mut world = World::new();
    for (what, start) in mixed(&mut world) {
        let before = world.text(CREDENTIALS);
        let refusal = decided(world.new_secret(start).commit(&world.app)).unwrap_err();
        assert_eq!(refusal, Refusal::Superseded, "{what}");
        assert_eq!(world.text(CREDENTIALS), before, "{what}");
    }
}

#[test]
fn an_activation_is_of_the_start_that_was_loaded_and_of_no_other() {
    let mut world = World::new();
    for (what, start) in mixed(&mut world) {
        assert_eq!(world.activate(&start, Some(100)).unwrap_err(), Refusal::Superseded, "{what}");
    }
}

#[test]
fn a_password_is_revealed_for_the_code_that_was_loaded_and_for_no_other() {
    let mut world = World::new();
    let (alice, bob) = (world.start("alice"), world.start("bob"));
    let [code, others_code] = [&alice, &bob].map(|account| account.draft.reveal_token.hash());
    let (own, another) = (alice.draft.credential_id, bob.draft.credential_id);
    for (what, account_id, credential_id, code) in [
        ("another's account", bob.account_id, own, code),
        ("another's credential", alice.account_id, another, code),
        ("another's code", alice.account_id, own, others_code),
    ] {
        let loaded = reveal::load(&world.app, &alice.draft.reveal_token.hash()).unwrap().unwrap();
        let mixed = reveal::Snapshot { account_id, credential_id, ..loaded };
        let new = reveal::new_password(mixed, code, &world.keys, &mut world.randomness).unwrap();
        assert_eq!(decided(new.commit(&world.app)), Err(Refusal::TokenUnknown), "{what}");
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
    let before = world.text(CREDENTIALS);
    for (what, account_id, credential_id, enrollment_token) in [
        ("another's account", bob.account_id, alice.draft.credential_id, own),
        ("another's credential", alice.account_id, bob.draft.credential_id, own),
        ("another's token", alice.account_id, alice.draft.credential_id, others),
    ] {
        let new = world.new_code(&alice.draft.enrollment_token);
        let start = OpenStart { account_id, credential_id, ..new.start };
        let mixed = NewCode { start, enrollment_token, ..new };
        assert_eq!(decided(mixed.replace(&world.app)), Err(Refusal::TokenInvalid), "{what}");
        assert_eq!(world.text(CREDENTIALS), before, "{what}");
    }
    assert_eq!(world.events("new_code", "token_invalid"), 3);
}

#[test]
fn a_deletion_is_of_the_live_credential_that_was_checked_and_of_no_other() {
    let mut world = World::new();
    let (alice, bob) = (world.owner("alice"), world.owner("bob"));
    add_draft(&world, "alice");
    // Nobody can have this one. It would prove nothing.
    let of_draft = world.token();
    let insert = "INSERT INTO session (hash, id, credential_id, failed_before)
         SELECT $1, gen_random_uuid(), id, 0 FROM credential WHERE NOT live";
    world.database.owner().execute(insert, &[&of_draft.hash().as_bytes().as_slice()]).unwrap();
    let draft =
        CredentialId::from_uuid(world.text("SELECT id FROM credential WHERE NOT live").parse().unwrap());
    let step = world.next_step();
    let [proof, others] = [&alice, &bob].map(|owner| world.right_password(owner, Some(step)));
    let another = others.credential_id;
    let delete = |proof: &RightPassword, session: &PlainToken| {
        decided(deletion::commit(&world.app, proof, &session.hash())).unwrap_err()
    };
    for (what, mixed, session) in [
        ("another's account", RightPassword { account_id: bob.account_id, ..proof }, &alice.session),
        ("another's credential", RightPassword { credential_id: another, ..proof }, &alice.session),
        ("another's session", proof, &bob.session),
        ("a credential that is not live", RightPassword { credential_id: draft, ..proof }, &of_draft),
    ] {
        assert_eq!(delete(&mixed, session), Refusal::SessionInvalid, "{what}");
        assert_eq!(world.text("SELECT count(*) FROM account"), "2", "{what}");
    }
    let wrong = RightPassword { step: None, ..proof };
    assert_eq!(delete(&wrong, &alice.session), Refusal::WrongCode);
    assert_eq!(world.text("SELECT wrong_codes FROM account WHERE username = 'bob'"), "0");
}

/// An account that is being renewed, with a password and a secret; its start, and its tokens.
fn ready(world: &mut World) -> (OpenStart, NewDraft) {
    let owner = world.owner("alice");
    let draft = renewing(world, &owner);
    (world.prepare(&draft), draft)
}

const SUSPEND: &str = "SELECT suspend_account('alice')";
const CHANGE: &str = "SELECT FROM account WHERE username = 'alice' FOR UPDATE;
    UPDATE credential SET revision = revision + 1 WHERE NOT live";

#[test]
fn an_activation_decides_from_what_the_one_before_it_has_left() {
    for (first, expected) in [(SUSPEND, Refusal::TokenInvalid), (CHANGE, Refusal::Superseded)] {
        let mut world = World::new();
        let (start, _) = ready(&mut world);
        let session = world.new_session();
        let outcome = waits_for_owner(&world.database, first, |connection| {
            decided(activate(connection, &start, Some(1), session)).unwrap_err()
        });
        assert_eq!(outcome, expected, "{first}");
    }
}

#[test]
fn a_secret_is_stored_by_what_the_one_before_it_has_left() {
    for (first, expected) in [(SUSPEND, Refusal::TokenInvalid), (CHANGE, Refusal::Superseded)] {
        let mut world = World::new();
        let (start, _) = ready(&mut world);
        let new = world.new_secret(start);
        let secret = "SELECT totp_secret FROM credential WHERE NOT live";
        let before = world.text(secret);
        let outcome = waits_for_owner(&world.database, first, |connection| decided(new.commit(connection)));
        assert_eq!(outcome, Err(expected), "{first}");
        assert_eq!(world.text(secret), before, "{first}");
    }
}

#[test]
fn a_password_is_revealed_by_what_the_one_before_it_has_left() {
    let used = "SELECT FROM account WHERE username = 'alice' FOR UPDATE;
        UPDATE credential SET revealed_at = now(), verifier = '', verifier_algorithm = 1 WHERE NOT live";
    for (first, expected) in [(SUSPEND, Refusal::TokenUnknown), (used, Refusal::TokenUsed)] {
        let mut world = World::new();
        let owner = world.owner("alice");
        let code = renewing(&mut world, &owner).reveal_token;
        let new = world.new_password(&code);
        let outcome = waits_for_owner(&world.database, first, |connection| decided(new.commit(connection)));
        assert_eq!(outcome, Err(expected), "{first}");
    }
}

#[test]
fn a_suspension_that_came_first_leaves_neither_a_new_code_nor_a_renewal() {
    let mut world = World::new();
    let (_, draft) = ready(&mut world);
    let new = world.new_code(&draft.enrollment_token);
    let issued = waits_for_owner(&world.database, SUSPEND, |connection| decided(new.replace(connection)));
    assert_eq!(issued, Err(Refusal::TokenInvalid));

    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let renewal = world.renewal(&owner);
    let renewed = waits_for_owner(&world.database, SUSPEND, |connection| decided(renewal.begin(connection)));
    assert_eq!(renewed, Err(Refusal::TokenInvalid));
    assert_eq!(world.text("SELECT count(*) FROM renewal_token"), "1", "the token is not used up");
}

#[test]
fn a_login_is_of_the_live_credential_that_was_checked_and_of_no_other() {
    let mut world = World::new();
    let (alice, bob) = (world.owner("alice"), world.owner("bob"));
    let started = world.start("carol");
    let step = Some(Step::from_value(world.next_step()));
    let proof = RightPassword { step, ..world.right_password(&alice, None) };
    let carol = RightPassword { account_id: started.account_id, ..proof };
    let draft = started.draft.credential_id;
    for (what, mixed) in [
        ("another's account", RightPassword { account_id: bob.account_id, ..proof }),
        ("a credential that is not live", RightPassword { credential_id: draft, ..carol }),
    ] {
        let tickets = world.tickets();
        let refusal = decided(login::commit(&world.app, &mixed, tickets)).unwrap_err();
        assert_eq!(refusal, Refusal::Stale, "{what}");
    }
}

#[test]
fn a_login_decides_from_what_the_one_before_it_has_left() {
    let used = "SELECT FROM account WHERE username = 'alice' FOR UPDATE; UPDATE credential SET last_step = last_step + 9";
    for (first, expected) in [(SUSPEND, Refusal::Suspended), (used, Refusal::ReusedCode)] {
        let mut world = World::new();
        let owner = world.owner("alice");
        let step = world.next_step();
        let (proof, tickets) = (world.right_password(&owner, Some(step)), world.tickets());
        let refusal = waits_for_owner(&world.database, first, |connection| {
            decided(login::commit(connection, &proof, tickets)).unwrap_err()
        });
        assert_eq!(refusal, expected, "{first}");
    }
}

#[test]
fn an_account_that_has_expired_stays_so_whatever_its_credential_says() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE account SET state = 'expired'");
    let step = world.next_step();
    assert!(has_expired(&world.login(&owner, Some(step))));
}
