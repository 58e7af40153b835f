//! Deletion: by the owner, who is judged as at a login, and by an operator. What is beside it loses nothing and leaves
//! nothing behind.

use domain::{AccountId, AfterWrongCode, LockSchedule, PlainToken};
use harness::NativeDatabase;
use harness::seeded::Seeded;
use journey::account::deletion;
use journey::session::NewSession;
use journey::start::{OpenStart, Renewal};
use journey::{Refusal, Stop, login, session};

use crate::race::{paused, race, waits_for, waits_for_owner};
use crate::world::{Owner, World, activate, decided, is_open, tickets, waits};

/// Deletes as if the password and a code of `step` had been checked.
fn delete(world: &World, owner: &Owner, step: Option<i64>) -> Result<(), Refusal> {
    decided(deletion::commit(&world.app, &world.right_password(owner, step), &owner.session.hash()))
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

#[test]
fn a_deletion_leaves_events_and_a_reserved_name_and_nothing_else() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.owner("bob");
    let step = world.next_step();
    world.sign_in(&owner, step);
    assert_eq!(rows(&world), "2 2 3 0");
    assert_eq!(delete(&world, &owner, Some(step + 1)), Ok(()));
    assert_eq!(rows(&world), "1 1 1 0");
    assert!(!is_open(&world.app, &owner.session));
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
        assert_eq!(delete(&world, &owner, Some(step)), Ok(()), "{round}");
        assert!(!world.try_start("alice"), "{round}");
        assert_eq!(world.events("start", "username_taken"), round, "one event");
        let gaps = world.text("SELECT max(id) - count(*) FROM event");
        assert_eq!(gaps, "0", "and no statement that was taken back: the trigger is for those that waited");
        assert!(world.try_start(&format!("alice{round}")), "{round}");
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
        decided(deletion::commit(connection, &proof, &owner.session.hash()))
    });
    let refusals: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert_eq!(refusals, [Refusal::SessionInvalid; 49]);
    assert_eq!(rows(&world), "0 0 0 0");
    assert_eq!((world.events("delete", "ok"), world.events("delete", "session_invalid")), (1, 49));
}

#[test]
fn many_wrong_codes_at_once_get_no_more_guesses_than_one_after_the_other() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let proof = world.right_password(&owner, None);
    let outcomes = race(&world.database, 50, |connection, _| {
        decided(deletion::commit(connection, &proof, &owner.session.hash()))
    });
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(Refusal::WrongCode)).count(), 5);
    assert_eq!(outcomes.iter().filter(|outcome| waits(outcome)).count(), 45);
}

#[test]
fn wrong_codes_at_a_deletion_wait_and_suspend_as_the_domain_says_over_the_whole_table() {
    let mut world = World::new();
    let owner = world.owner("alice");
    for wrong_code in 1..=LockSchedule::LOGIN.stop_at {
        world.sql("UPDATE account SET locked_until = NULL");
        assert_eq!(delete(&world, &owner, None), Err(Refusal::WrongCode), "{wrong_code}");
        assert_eq!(verdict(&world), LockSchedule::LOGIN.verdict_after(wrong_code), "{wrong_code}");
    }
    let step = world.next_step();
    assert_eq!(delete(&world, &owner, Some(step)), Err(Refusal::Suspended));
    assert_eq!(rows(&world), "1 1 1 0");
    assert_eq!(world.events("delete", "wrong_code_suspends"), 1);
}

/// What the last wrong code has come to, by the row of the only account.
pub(crate) fn verdict(world: &World) -> AfterWrongCode {
    let waits =
        world.text("SELECT coalesce(extract(epoch FROM locked_until - now()), 0)::bigint FROM account");
    let minutes = waits.parse::<u32>().unwrap().div_ceil(60);
    match (minutes, world.text("SELECT state FROM account").as_str()) {
        (0, "active") => AfterWrongCode::Continue,
        (minutes, "active") => AfterWrongCode::Wait { minutes },
        _ => AfterWrongCode::Stop,
    }
}

#[test]
fn wrong_codes_at_logins_and_deletions_are_one_count_and_each_sees_the_wait_of_the_other() {
    let mut world = World::new();
    let owner = world.owner("alice");
    for _ in 0..3 {
        assert_eq!(world.login(&owner, None).unwrap_err(), Refusal::WrongCode);
    }
    for _ in 0..2 {
        assert_eq!(delete(&world, &owner, None), Err(Refusal::WrongCode));
    }
    // Time for a slow machine.
    world.sql("UPDATE account SET locked_until = locked_until + '59 minutes'::interval");
    let step = world.next_step();
    let Err(Refusal::Waiting(wait)) = delete(&world, &owner, Some(step)) else { panic!("it waits") };
    assert!((3_000..=3_600).contains(&wait.retry_after_seconds), "{wait:?}");
    assert!(waits(&world.login(&owner, Some(step))));
    assert_eq!(rows(&world), "1 1 1 0");
    world.sql("UPDATE account SET locked_until = now()");
    assert_eq!(delete(&world, &owner, Some(step)), Ok(()), "waiting used up no code");
}

#[test]
fn a_code_that_was_used_deletes_nothing_and_is_no_guess() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step() + 1;
    world.sign_in(&owner, step);
    for used in [step, step - 1] {
        assert_eq!(delete(&world, &owner, Some(used)), Err(Refusal::ReusedCode));
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
        let [right, wrong] = [Some(step), None].map(|step| world.right_password(&owner, step));
        world.sql(ends);
        let commit = |proof, session: &PlainToken| {
            decided(deletion::commit(&world.app, proof, &session.hash())).unwrap_err()
        };
        for proof in [&right, &wrong] {
            assert_eq!(commit(proof, &owner.session), Refusal::SessionInvalid, "{ends}");
        }
        assert_eq!(world.text("SELECT sum(wrong_codes) || ' ' || count(*) FROM account"), "0 2", "{ends}");
        // Somebody else's session is none for this account.
        world.sql("UPDATE session SET created_at = now(), last_seen_at = now()");
        assert_eq!(commit(&right, &bystander.session), Refusal::SessionInvalid, "{ends}");
    }
}

#[test]
fn the_next_login_tells_of_refused_deletions() {
    let mut world = World::new();
    let owner = world.owner("alice");
    assert_eq!(delete(&world, &owner, None), Err(Refusal::WrongCode));
    let wrong = world.attempt("wrong", &owner.phone);
    let refused = deletion::delete(&world.app, &world.keys, &owner.session.hash(), &wrong);
    assert_eq!(decided(refused), Err(Refusal::WrongPassword));
    let step = world.next_step();
    let token = world.sign_in(&owner, step).token;
    assert_eq!(session::touch(&world.app, &token.hash()).unwrap().failed_before, 2);
}

fn paused_deletion(world: &World, owner: &Owner, step: i64) -> NativeDatabase {
    let proof = world.right_password(owner, Some(step));
    let first = paused(&world.database);
    deletion::commit(&first, &proof, &owner.session.hash()).unwrap();
    first
}

#[test]
fn a_start_that_waits_for_a_deletion_finds_the_name_taken() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let account = world.new_account("alice");
    let step = world.next_step();
    let first = paused_deletion(&world, &owner, step);
    let started = waits_for(&world.database, first, |connection| decided(account.create(connection)));
    assert_eq!(started, Err(Refusal::UsernameTaken));
    assert_eq!(rows(&world), "0 0 0 0");
    assert_eq!(world.events("start", "username_taken"), 1);
}

fn refusal<T>(result: Result<T, Stop>) -> Option<Refusal> {
    decided(result).err()
}

#[test]
fn what_waits_for_a_deletion_finds_nothing_and_leaves_nothing() {
    for what in ["login", "delete", "session", "list", "logout", "end_session"] {
        let mut world = World::new();
        let owner = world.owner("alice");
        let step = world.next_step();
        let proof = world.right_password(&owner, Some(step + 1));
        let tickets = world.tickets();
        let token = owner.session.hash();
        let session = session::list(&world.app, &token).unwrap()[0].session_id;
        let first = paused_deletion(&world, &owner, step);
        let found = waits_for(&world.database, first, |connection| match what {
            "login" => refusal(login::commit(connection, &proof, tickets)),
            "delete" => refusal(deletion::commit(connection, &proof, &token)),
            "session" => refusal(session::touch(connection, &token)),
            "list" => refusal(session::list(connection, &token)),
            "logout" => refusal(session::end(connection, &token)),
            _ => refusal(session::end_own(connection, &token, session)),
        });
        let expected = if what == "login" { Refusal::Stale } else { Refusal::SessionInvalid };
        assert_eq!(found, Some(expected), "{what}");
        assert_eq!(rows(&world), "0 0 0 0", "{what}");
        let kind = if what == "list" { "session" } else { what };
        let refused = format!("SELECT count(*) FROM event WHERE kind = '{kind}' AND outcome <> 'ok'");
        assert_eq!(world.text(&refused), "1", "{what}");
    }
}

#[test]
fn a_deletion_that_waits_for_a_login_takes_its_session_along() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step();
    let [login, deletion] = [step, step + 1].map(|step| world.right_password(&owner, Some(step)));
    let first = paused(&world.database);
    login::commit(&first, &login, world.tickets()).unwrap();
    let deleted = waits_for(&world.database, first, |connection| {
        decided(deletion::commit(connection, &deletion, &owner.session.hash()))
    });
    assert_eq!(deleted, Ok(()));
    assert_eq!(rows(&world), "0 0 0 0");
}

#[test]
fn a_deletion_that_waits_for_a_login_with_its_code_is_refused() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step();
    let proof = world.right_password(&owner, Some(step));
    let first = paused(&world.database);
    login::commit(&first, &proof, world.tickets()).unwrap();
    let deleted = waits_for(&world.database, first, |connection| {
        decided(deletion::commit(connection, &proof, &owner.session.hash()))
    });
    assert_eq!(deleted, Err(Refusal::ReusedCode));
    assert_eq!(rows(&world), "1 1 2 0");
}

#[test]
fn a_deletion_that_waits_for_a_logout_or_a_suspension_is_refused() {
    for (statement, expected) in [
        ("DELETE FROM session", Refusal::SessionInvalid),
        ("SELECT suspend_account('alice')", Refusal::Suspended),
        ("UPDATE account SET state = 'expired'", Refusal::SessionInvalid),
    ] {
        let mut world = World::new();
        let owner = world.owner("alice");
        let step = world.next_step();
        let proof = world.right_password(&owner, Some(step));
        let deleted = waits_for_owner(&world.database, statement, |connection| {
            decided(deletion::commit(connection, &proof, &owner.session.hash()))
        });
        assert_eq!(deleted, Err(expected), "{statement}");
        assert_eq!(world.text("SELECT count(*) FROM account"), "1", "{statement}");
    }
}

/// An expired account whose renewal stands before its activation.
struct Renewing {
    owner: Owner,
    start: OpenStart,
    spare_token: PlainToken,
}

fn renewing(world: &mut World, name: &str) -> Renewing {
    let owner = world.owner(name);
    world.sql(&format!(
        "UPDATE credential SET expires_at = now() WHERE live AND account_id = '{}'",
        owner.account_id
    ));
    let draft = world.renew(&owner);
    let start = world.prepare(&draft);
    let spare_token = world.renewal_token(&owner);
    Renewing { owner, start, spare_token }
}

#[test]
fn a_renewal_and_its_activation_that_wait_for_a_removal_find_nothing_and_leave_nothing() {
    for (what, expected) in
        [("renew", Refusal::TokenInvalid), ("activate", Refusal::Superseded), ("login", Refusal::Stale)]
    {
        let mut world = World::new();
        let Renewing { owner, start, spare_token } = renewing(&mut world, "alice");
        let renewal = Renewal::draw(&spare_token, owner.username.clone(), &mut world.randomness).unwrap();
        let (session, tickets, step) = (world.new_session(), world.tickets(), world.next_step());
        let proof = world.right_password(&owner, Some(step));
        let removal = "SELECT delete_account('alice')";
        let found = waits_for_owner(&world.database, removal, |connection| match what {
            "renew" => refusal(renewal.begin(connection)),
            "activate" => refusal(activate(connection, &start, Some(1), session)),
            _ => refusal(login::commit(connection, &proof, tickets)),
        });
        assert_eq!(found, Some(expected), "{what}");
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
        let database = &world.database;
        race(database, 12, |connection, contender| {
            let seed = 1_000 + 100 * round + contender;
            let mut randomness = Seeded::new(seed);
            // Refused or not: it is no fault.
            match contender % 4 {
                0 if contender == 0 => {
                    let mut operator = database.owner();
                    operator.execute("SELECT delete_account('alice')", &[]).unwrap();
                }
                0 | 1 => {
                    let renewal =
                        Renewal::draw(&spare_token, owner.username.clone(), &mut randomness).unwrap();
                    refusal(renewal.begin(connection));
                }
                2 => {
                    let session = NewSession::draw(&mut randomness).unwrap();
                    refusal(activate(connection, &start, Some(1), session));
                }
                _ => {
                    refusal(login::commit(connection, &proof, tickets(seed)));
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
