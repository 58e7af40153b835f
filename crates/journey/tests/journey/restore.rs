//! After a restore: what the backup has brought back to life is ended, and accounts stay what they are.

use std::thread;

use domain::{Step, limits};
use journey::{Refusal, reveal};
use postgres::Client;

use crate::purge::add_draft;
use crate::race::wait_for_a_wait;
use crate::world::{World, can_go_on, is_open};

/// One call, on a connection without a search path, as a restore has it: how many of each kind were ended.
fn close(owner: &mut Client) -> Vec<(String, i64)> {
    owner.batch_execute("SET search_path = ''").unwrap();
    let rows = owner.query("SELECT what, ended FROM identity.close_after_restore()", &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn ended<const N: usize>(parts: [(&str, i64); N]) -> Vec<(String, i64)> {
    parts.map(|(what, count)| (what.to_owned(), count)).into()
}

/// The step that the database's clock is in.
fn step_of_this_moment(world: &World) -> i64 {
    Step::at(world.time()).value()
}

#[test]
fn every_session_token_and_start_is_ended_and_accounts_stay_what_they_are() {
    let mut world = World::new();
    let alice = world.owner("alice");
    for name in ["carol", "dave"] {
        world.owner(name);
    }
    let pending = world.start("bob").draft;
    world.sql(
        "SELECT suspend_account('dave');
         UPDATE account SET state = 'expired' WHERE username = 'carol';
         INSERT INTO renewal_token SELECT sha256('token'), credential_id, now() + '1 minute' FROM account
         WHERE username = 'carol'",
    );
    add_draft(&world, "carol");
    let mut owner = world.database.owner();
    assert_eq!(
        close(&mut owner),
        ended([("sessions", 3), ("renewal tokens", 1), ("pending accounts", 1), ("renewals", 1)])
    );
    let accounts = "SELECT string_agg(username || ' ' || state || ' ' || live, ', ' ORDER BY username)
        FROM account JOIN credential ON credential.account_id = account.id";
    assert_eq!(world.text(accounts), "alice active true, carol expired true, dave suspended true");
    assert!(!is_open(&world.app, &alice.session));
    assert!(!can_go_on(&world.app, &pending.enrollment_token));
    assert!(reveal::load(&world.app, &pending.reveal_token.hash()).unwrap().is_none());
    assert_eq!(world.text("SELECT count(*) FROM renewal_token"), "0");
    // Whose start it was begins again, and a second call finds nothing but that.
    world.start("bob");
    assert_eq!(
        close(&mut owner),
        ended([("sessions", 0), ("renewal tokens", 0), ("pending accounts", 1), ("renewals", 0)])
    );
    assert_eq!(world.events("restore", "ok"), 2);
}

#[test]
fn no_code_of_the_moment_is_taken_and_the_one_after_those_is() {
    let mut world = World::new();
    let [alice, ahead] = ["alice", "ahead"].map(|name| world.owner(name));
    let last_step = |world: &World, name: &str| -> i64 {
        let of_name = format!(
            "SELECT last_step FROM credential JOIN account ON account.id = account_id WHERE username = '{name}'"
        );
        world.text(&of_name).parse().unwrap()
    };
    // Of a server whose clock was ahead of this one's.
    world.sql(
        "UPDATE credential SET last_step = last_step + 1000 FROM account
         WHERE account.id = account_id AND username = 'ahead'",
    );
    let far = last_step(&world, "ahead");
    let before = step_of_this_moment(&world);
    close(&mut world.database.owner());
    let after = step_of_this_moment(&world);

    let newest = last_step(&world, "alice");
    let in_reach = before + limits::TOTP_WINDOW_STEPS..=after + limits::TOTP_WINDOW_STEPS;
    assert!(in_reach.contains(&newest), "{newest} is not in {in_reach:?}");
    assert_eq!(last_step(&world, "ahead"), far);
    assert_eq!(world.login(&alice, Some(newest)).unwrap_err(), Refusal::ReusedCode);
    assert_eq!(world.login(&ahead, Some(far)).unwrap_err(), Refusal::ReusedCode);
    let session = world.sign_in(&alice, newest + 1);
    assert!(is_open(&world.app, &session.token));
}

/// A login that has its turn first is ended too, although it was not there yet when the call came.
#[test]
fn a_session_that_is_being_opened_is_waited_for_and_ended() {
    let mut world = World::new();
    world.owner("alice");
    let database = &world.database;
    thread::scope(|scope| {
        let mut login = database.owner();
        login
            .batch_execute(
                "BEGIN;
                 SELECT FROM account WHERE username = 'alice' FOR NO KEY UPDATE;
                 INSERT INTO session (hash, id, credential_id, failed_before)
                 SELECT sha256('another'), gen_random_uuid(), credential_id, 0 FROM account",
            )
            .unwrap();
        let run = scope.spawn(|| close(&mut database.owner()));
        wait_for_a_wait(database);
        login.batch_execute("COMMIT").unwrap();
        assert_eq!(run.join().unwrap()[0], ("sessions".to_owned(), 2));
    });
    assert_eq!(world.text("SELECT count(*) FROM session"), "0");
}
