//! Deletion: by the owner, who is judged as at a login, and by an operator. What is beside it loses nothing and leaves
//! nothing behind.

use std::thread;
use std::time::Duration;

use domain::journey::deletion::Outcome;
use domain::journey::session::{Ending, NewSession};
use domain::journey::{activate, login, renew};
use domain::{AccountId, AfterWrongCode, LockSchedule, PlainToken, Step};
use harness::NativeDatabase;
use harness::deadline::poll;
use store::Database;
use store::login::{RightPassword, Tickets};

use crate::journey::{Owner, Seeded, World};
use crate::race::race;

/// Deletes as if the password and a code of `step` had been checked.
fn delete(world: &World, owner: &Owner, step: Option<i64>) -> Outcome {
    let proof = world.right_password(owner, step);
    store::deletion::commit(&world.store, &proof, &owner.session.hash()).unwrap()
}

/// Accounts, credentials, sessions and renewal tokens that are there.
fn rows(world: &World) -> String {
    world.text(
        "SELECT (SELECT count(*) FROM account) || ' ' || (SELECT count(*) FROM credential) || ' ' ||
            (SELECT count(*) FROM session) || ' ' || (SELECT count(*) FROM renewal_token)",
    )
}

fn events_of(world: &World, account_id: AccountId) -> String {
    world.text(&format!(
        "SELECT string_agg(kind || '/' || outcome, ' ' ORDER BY id) FROM event WHERE account_id = '{account_id}'"
    ))
}

fn try_start(world: &mut World, name: &str) -> bool {
    let account = world.new_account(name);
    store::start::create_account(&world.store, &account).unwrap().is_some()
}

#[test]
fn a_deletion_leaves_events_and_a_reserved_name_and_nothing_else() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.owner("bob");
    let step = world.next_step();
    world.login(&owner, Some(step));
    assert_eq!(rows(&world), "2 2 3 0");
    assert_eq!(delete(&world, &owner, Some(step + 1)), Outcome::Deleted);
    assert_eq!(rows(&world), "1 1 1 0");
    assert_eq!(store::session::touch(&world.store, &owner.session.hash()), Ok(None));
    assert_eq!(
        events_of(&world, owner.account_id),
        "start/ok reveal/ok enroll/ok activate/ok login/ok delete/ok"
    );
    assert_eq!(world.text("SELECT count(*) FROM reserved_name"), "1");
    assert_eq!(
        world.text(
            "SELECT reserved_until BETWEEN now() + '12 months' - '1 minute'::interval AND now() + '12 months'
            FROM reserved_name"
        ),
        "true"
    );
}

#[test]
fn a_reserved_name_is_taken_and_one_whose_reservation_has_ended_is_as_free_as_any() {
    let mut world = World::new();
    for round in 1..=2 {
        let owner = world.owner("alice");
        let step = world.next_step();
        assert_eq!(delete(&world, &owner, Some(step)), Outcome::Deleted, "{round}");
        assert!(!try_start(&mut world, "alice"), "{round}");
        assert_eq!(world.events("start", "username_taken"), round, "one event");
        let gaps = world.text("SELECT max(id) - count(*) FROM event");
        assert_eq!(gaps, "0", "and no statement that was taken back: the trigger is for those that waited");
        assert!(try_start(&mut world, &format!("alice{round}")), "{round}");
        world.sql("UPDATE reserved_name SET reserved_until = now()");
    }
    world.start("alice");
    assert_eq!(
        world.text("SELECT count(*) FROM reserved_name"),
        "1",
        "the second one took the place of the first"
    );
}

#[test]
fn of_many_deletions_with_one_code_one_deletes() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step();
    let proof = world.right_password(&owner, Some(step));
    let outcomes = race(&world.database, 50, |connection, _| {
        store::deletion::commit(connection, &proof, &owner.session.hash()).unwrap()
    });
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Deleted).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::NoSession).count(), 49);
    assert_eq!(rows(&world), "0 0 0 0");
    assert_eq!((world.events("delete", "ok"), world.events("delete", "session_invalid")), (1, 49));
}

#[test]
fn many_wrong_codes_at_once_get_no_more_guesses_than_one_after_the_other() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let proof = world.right_password(&owner, None);
    let outcomes = race(&world.database, 50, |connection, _| {
        store::deletion::commit(connection, &proof, &owner.session.hash()).unwrap()
    });
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::WrongCode).count(), 5);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Waiting(_))).count(), 45);
}

#[test]
fn wrong_codes_at_a_deletion_wait_and_suspend_as_the_domain_says_over_the_whole_table() {
    let mut world = World::new();
    let owner = world.owner("alice");
    for wrong_code in 1..=LockSchedule::LOGIN.stop_at {
        world.sql("UPDATE account SET locked_until = NULL");
        assert_eq!(delete(&world, &owner, None), Outcome::WrongCode, "{wrong_code}");
        let waits =
            world.text("SELECT coalesce(extract(epoch FROM locked_until - now()), 0)::bigint FROM account");
        let minutes = waits.parse::<u32>().unwrap().div_ceil(60);
        let state = world.text("SELECT state FROM account");
        let verdict = match (minutes, state.as_str()) {
            (0, "active") => AfterWrongCode::Continue,
            (minutes, "active") => AfterWrongCode::Wait { minutes },
            _ => AfterWrongCode::Stop,
        };
        assert_eq!(verdict, LockSchedule::LOGIN.verdict_after(wrong_code), "{wrong_code}");
    }
    let step = world.next_step();
    assert_eq!(delete(&world, &owner, Some(step)), Outcome::Suspended);
    assert_eq!(rows(&world), "1 1 1 0");
    assert_eq!(world.events("delete", "wrong_code_suspends"), 1);
}

#[test]
fn wrong_codes_at_logins_and_deletions_are_one_count_and_each_sees_the_wait_of_the_other() {
    let mut world = World::new();
    let owner = world.owner("alice");
    for _ in 0..3 {
        assert_eq!(world.login(&owner, None).0, login::Outcome::WrongCode);
    }
    for _ in 0..2 {
        assert_eq!(delete(&world, &owner, None), Outcome::WrongCode);
    }
    // Time for a slow machine.
    world.sql("UPDATE account SET locked_until = locked_until + '59 minutes'::interval");
    let step = world.next_step();
    let Outcome::Waiting(wait) = delete(&world, &owner, Some(step)) else { panic!("it waits") };
    assert!((3_000..=3_600).contains(&wait.retry_after_seconds), "{wait:?}");
    assert!(matches!(world.login(&owner, Some(step)).0, login::Outcome::Waiting(_)));
    assert_eq!(rows(&world), "1 1 1 0");
    world.sql("UPDATE account SET locked_until = now()");
    assert_eq!(delete(&world, &owner, Some(step)), Outcome::Deleted, "waiting used up no code");
}

#[test]
fn a_code_that_was_used_deletes_nothing_and_is_no_guess() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step() + 1;
    world.login(&owner, Some(step));
    for used in [step, step - 1] {
        assert_eq!(delete(&world, &owner, Some(used)), Outcome::ReusedCode);
    }
    assert_eq!(world.text("SELECT wrong_codes FROM account"), "0");
    assert_eq!(rows(&world), "1 1 2 0");
}

#[test]
fn a_session_that_ended_since_the_load_deletes_nothing_and_counts_nothing() {
    for ends in [
        "DELETE FROM session",
        "UPDATE session SET last_seen_at = now() - '1 hour'::interval",
        "UPDATE session SET created_at = now() - '12 hours'::interval",
        "UPDATE credential SET expires_at = now()",
        "UPDATE account SET state = 'expired'",
    ] {
        let mut world = World::new();
        let owner = world.owner("alice");
        let bystander = world.owner("bob");
        let step = world.next_step();
        let proofs = [Some(step), None].map(|step| world.right_password(&owner, step));
        world.sql(ends);
        for proof in proofs {
            let outcome = store::deletion::commit(&world.store, &proof, &owner.session.hash()).unwrap();
            assert_eq!(outcome, Outcome::NoSession, "{ends}");
        }
        assert_eq!(world.text("SELECT sum(wrong_codes) || ' ' || count(*) FROM account"), "0 2", "{ends}");
        // Somebody else's session is none for this account.
        world.sql("UPDATE session SET created_at = now(), last_seen_at = now()");
        let outcome = store::deletion::commit(
            &world.store,
            &proofs_of(&world, &owner, step),
            &bystander.session.hash(),
        );
        assert_eq!(outcome, Ok(Outcome::NoSession), "{ends}");
    }
}

fn proofs_of(world: &World, owner: &Owner, step: i64) -> RightPassword {
    world.right_password(owner, Some(step))
}

#[test]
fn the_next_login_tells_of_refused_deletions() {
    let mut world = World::new();
    let owner = world.owner("alice");
    delete(&world, &owner, None);
    store::event::record(&world.store, store::event::Refusal::DeleteWrongPassword, Some(owner.account_id))
        .unwrap();
    let step = world.next_step();
    let (_, tickets) = world.login(&owner, Some(step));
    let session = store::session::touch(&world.store, &tickets.session.token.hash()).unwrap().unwrap();
    assert_eq!(session.failed_before, 2);
}

/// A connection of the application in a transaction that its next statement begins and `COMMIT` ends, so that what that
/// one has locked stays locked. The service has none of these: here it stands for a moment.
fn paused(world: &World) -> NativeDatabase {
    let connection = world.database.store();
    connection.execute("SET idle_in_transaction_session_timeout = 0", &[]).unwrap();
    connection.execute("BEGIN", &[]).unwrap();
    connection
}

/// Runs `beside` while `first` holds its locks, lets `first` commit once `beside` waits for them, and returns what
/// `beside` got.
pub(crate) fn waits_for<T: Send>(
    world: &World,
    first: NativeDatabase,
    beside: impl FnOnce(&NativeDatabase) -> T + Send,
) -> T {
    let database = &world.database;
    thread::scope(|scope| {
        let waiting = scope.spawn(move || beside(&database.store()));
        let blocked = "SELECT count(*) > 0 FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'cofrap_app' AND wait_event_type = 'Lock'";
        let is_blocked = || (world.text(blocked) == "true").then_some(());
        assert!(poll(Duration::from_secs(30), is_blocked).is_some(), "it does not wait");
        first.execute("COMMIT", &[]).unwrap();
        waiting.join().unwrap()
    })
}

fn paused_deletion(world: &World, owner: &Owner, step: i64) -> NativeDatabase {
    let proof = world.right_password(owner, Some(step));
    let first = paused(world);
    assert_eq!(store::deletion::commit(&first, &proof, &owner.session.hash()), Ok(Outcome::Deleted));
    first
}

#[test]
fn a_start_that_waits_for_a_deletion_finds_the_name_taken() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let account = world.new_account("alice");
    let step = world.next_step();
    let first = paused_deletion(&world, &owner, step);
    let started = waits_for(&world, first, |connection| store::start::create_account(connection, &account));
    assert_eq!(started, Ok(None));
    assert_eq!(rows(&world), "0 0 0 0");
    assert_eq!(world.events("start", "username_taken"), 1);
}

#[test]
fn what_waits_for_a_deletion_finds_nothing_and_leaves_nothing() {
    for what in ["login", "deletion", "touch", "list", "end", "end_own"] {
        let mut world = World::new();
        let owner = world.owner("alice");
        let step = world.next_step();
        let proof = world.right_password(&owner, Some(step + 1));
        let tickets = world.tickets();
        let token = owner.session.hash();
        let session = store::session::list(&world.store, &token).unwrap().unwrap()[0].session_id;
        let first = paused_deletion(&world, &owner, step);
        waits_for(&world, first, |connection| match what {
            "login" => {
                assert_eq!(store::login::commit(connection, &proof, &tickets), Ok(login::Outcome::Stale));
            }
            "deletion" => {
                assert_eq!(store::deletion::commit(connection, &proof, &token), Ok(Outcome::NoSession));
            }
            "touch" => assert_eq!(store::session::touch(connection, &token), Ok(None)),
            "list" => assert_eq!(store::session::list(connection, &token), Ok(None)),
            "end" => assert_eq!(store::session::end(connection, &token), Ok(false)),
            _ => assert_eq!(store::session::end_own(connection, &token, session), Ok(Ending::NoSession)),
        });
        assert_eq!(rows(&world), "0 0 0 0", "{what}");
    }
}

#[test]
fn a_deletion_that_waits_for_a_login_takes_its_session_along() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step();
    let [login, deletion] = [step, step + 1].map(|step| world.right_password(&owner, Some(step)));
    let tickets = world.tickets();
    let first = paused(&world);
    let opened = store::login::commit(&first, &login, &tickets).unwrap();
    assert!(matches!(opened, login::Outcome::Authenticated { .. }), "{opened:?}");
    let deleted = waits_for(&world, first, |connection| {
        store::deletion::commit(connection, &deletion, &owner.session.hash())
    });
    assert_eq!(deleted, Ok(Outcome::Deleted));
    assert_eq!(rows(&world), "0 0 0 0");
}

#[test]
fn a_deletion_that_waits_for_a_login_with_its_code_is_refused() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step();
    let proof = world.right_password(&owner, Some(step));
    let tickets = world.tickets();
    let first = paused(&world);
    store::login::commit(&first, &proof, &tickets).unwrap();
    let deleted = waits_for(&world, first, |connection| {
        store::deletion::commit(connection, &proof, &owner.session.hash())
    });
    assert_eq!(deleted, Ok(Outcome::ReusedCode));
    assert_eq!(rows(&world), "1 1 2 0");
}

#[test]
fn a_deletion_that_waits_for_a_logout_or_a_suspension_is_refused() {
    for (statement, expected) in [
        ("DELETE FROM session", Outcome::NoSession),
        ("SELECT suspend_account('alice')", Outcome::Suspended),
        ("UPDATE account SET state = 'expired'", Outcome::NoSession),
    ] {
        let mut world = World::new();
        let owner = world.owner("alice");
        let step = world.next_step();
        let proof = world.right_password(&owner, Some(step));
        let first = NativeDatabase::new(world.database.owner());
        first.execute("BEGIN", &[]).unwrap();
        first.execute(statement, &[]).unwrap();
        let deleted = waits_for(&world, first, |connection| {
            store::deletion::commit(connection, &proof, &owner.session.hash())
        });
        assert_eq!(deleted, Ok(expected), "{statement}");
        assert_eq!(world.text("SELECT count(*) FROM account"), "1", "{statement}");
    }
}

/// An expired account whose renewal stands before its activation.
struct Renewing {
    owner: Owner,
    start: domain::journey::OpenStart,
    spare_token: PlainToken,
}

fn renewing(world: &mut World, name: &str) -> Renewing {
    let owner = world.owner(name);
    world.sql(&format!(
        "UPDATE credential SET expires_at = now() WHERE live AND account_id = '{}'",
        owner.account_id
    ));
    let mut tokens = [0, 1].map(|_| {
        let step = world.next_step();
        world.login(&owner, Some(step)).1.renewal_token
    });
    let renewal = renew::decide(&tokens[0], owner.username.clone(), &mut world.randomness).unwrap();
    store::start::renew(&world.store, &renewal).unwrap().unwrap();
    world.reveal(&renewal.draft.reveal_token);
    world.enroll(&renewal.draft.enrollment_token);
    let start = world.open(&renewal.draft.enrollment_token);
    tokens.swap(0, 1);
    let [spare_token, _] = tokens;
    Renewing { owner, start, spare_token }
}

#[test]
fn a_renewal_and_its_activation_that_wait_for_a_removal_find_nothing_and_leave_nothing() {
    for what in ["renew", "activate", "login"] {
        let mut world = World::new();
        let Renewing { owner, start, spare_token } = renewing(&mut world, "alice");
        let renewal = renew::decide(&spare_token, owner.username.clone(), &mut world.randomness).unwrap();
        let session = world.new_session();
        let step = world.next_step();
        let proof = world.right_password(&owner, Some(step));
        let tickets = world.tickets();
        let expires_at = domain::credential_expiry(start.now);
        let first = NativeDatabase::new(world.database.owner());
        first.execute("BEGIN", &[]).unwrap();
        first.execute("SELECT delete_account('alice')", &[]).unwrap();
        waits_for(&world, first, |connection| match what {
            "renew" => assert_eq!(store::start::renew(connection, &renewal), Ok(None)),
            "activate" => {
                let step = Some(Step::from_value(1));
                let outcome = store::activate::commit(connection, &start, step, expires_at, &session);
                assert_eq!(outcome, Ok(activate::Outcome::Superseded));
            }
            _ => assert_eq!(store::login::commit(connection, &proof, &tickets), Ok(login::Outcome::Stale)),
        });
        assert_eq!(rows(&world), "0 0 0 0", "{what}");
    }
}

/// Without a plan: whoever comes first. Nothing fails, and what is left is a whole account or none.
#[test]
fn removals_logins_renewals_and_activations_at_once_leave_no_orphan() {
    let mut world = World::new();
    for round in 0..10 {
        let Renewing { owner, start, spare_token } = renewing(&mut world, "alice");
        let step = world.next_step();
        let proof = world.right_password(&owner, Some(step));
        let expires_at = domain::credential_expiry(start.now);
        let database = &world.database;
        race(database, 12, |connection, contender| {
            let mut randomness = Seeded::new(1_000 + 100 * round + contender);
            let session = NewSession::draw(&mut randomness).unwrap();
            match contender % 4 {
                0 if contender == 0 => {
                    let mut operator = database.owner();
                    operator.execute("SELECT delete_account('alice')", &[]).unwrap();
                }
                0 | 1 => {
                    let renewal =
                        renew::decide(&spare_token, owner.username.clone(), &mut randomness).unwrap();
                    store::start::renew(connection, &renewal).unwrap();
                }
                2 => {
                    let step = Some(Step::from_value(1));
                    store::activate::commit(connection, &start, step, expires_at, &session).unwrap();
                }
                _ => {
                    let renewal_token = PlainToken::generate(&mut randomness).unwrap();
                    store::login::commit(connection, &proof, &Tickets { session, renewal_token }).unwrap();
                }
            }
        });
        assert_eq!(rows(&world), "0 0 0 0", "the removal came, first or last");
    }
}

#[test]
fn an_operator_removes_an_account_in_every_state_and_its_name_is_free_at_once() {
    let mut world = World::new();
    world.owner("bob");
    for (state, moves) in [
        ("active", "SELECT 1"),
        ("suspended", "SELECT suspend_account('alice')"),
        ("expired", "UPDATE credential SET expires_at = now(); UPDATE account SET state = 'expired'"),
    ] {
        let owner = world.owner("alice");
        world.sql(moves);
        assert_eq!(world.text("SELECT state FROM account WHERE username = 'alice'"), state);
        assert_eq!(world.text("SELECT delete_account('alice')"), "true", "{state}");
        assert_eq!(rows(&world), "1 1 1 0", "{state}: only the other's is left");
        assert!(events_of(&world, owner.account_id).ends_with(" remove/ok"), "{state}");
    }
    let pending = world.start("alice");
    assert_eq!(world.text("SELECT delete_account('alice')"), "true");
    assert_eq!(events_of(&world, pending.account_id), "start/ok remove/ok");
    assert_eq!(world.text("SELECT delete_account('alice')"), "false", "there is none any more");
    assert_eq!(world.events("remove", "ok"), 4);
    world.start("alice");
}
