//! What the operator's functions do to one account, and leave as it is; and what an operator is told of one.

use domain::Step;
use domain::limits::{RESERVED_NAME_MONTHS, SESSION_IDLE_SECONDS, TOTP_WINDOW_STEPS};
use harness::NativeDatabase;
use journey::account::{self, Export};
use journey::{Refusal, session};

use crate::purge::add_draft;
use crate::world::{World, function};

/// Every account with its state, in order.
const STATES: &str = "SELECT string_agg(username || ' ' || state, ', ' ORDER BY username) FROM account";

#[test]
fn a_suspension_is_of_one_active_or_expired_account_and_leaves_one_event() {
    let mut world = World::new();
    for name in ["active", "expired", "other"] {
        world.owner(name);
    }
    world.start("pending");
    world.sql("UPDATE account SET state = 'expired' WHERE username = 'expired'");
    for (name, suspended) in [
        ("active", "true"),
        ("expired", "true"),
        ("pending", "false"),
        ("active", "false"),
        ("nobody", "false"),
    ] {
        assert_eq!(world.text(&format!("SELECT suspend_account('{name}')")), suspended, "{name}");
    }
    assert_eq!(world.text(STATES), "active suspended, expired suspended, other active, pending pending");
    assert_eq!(world.events("suspend", "ok"), 2);
}

#[test]
fn a_release_is_of_one_suspended_account_and_ends_its_sessions_alone() {
    let mut world = World::new();
    for name in ["active", "expired", "other", "suspended"] {
        world.owner(name);
    }
    let expire = "UPDATE credential SET expires_at = now() WHERE account_id = (SELECT id FROM account WHERE username = 'expired')";
    world.sql(expire);
    world.sql("UPDATE account SET state = 'suspended', wrong_codes = 20, locked_until = now() WHERE username <> 'other'");
    for (name, released) in [
        ("active", "true"),
        ("expired", "true"),
        ("other", "false"),
        ("active", "false"),
        ("nobody", "false"),
    ] {
        assert_eq!(world.text(&format!("SELECT release_account('{name}')")), released, "{name}");
    }
    assert_eq!(world.text(STATES), "active active, expired expired, other active, suspended suspended");
    let with_sessions = "SELECT string_agg(username, ' ' ORDER BY username)
        FROM session JOIN account ON account.credential_id = session.credential_id";
    assert_eq!(world.text(with_sessions), "other suspended");
    let still_counted =
        "SELECT string_agg(username, ' ') FROM account WHERE wrong_codes > 0 OR locked_until IS NOT NULL";
    assert_eq!(world.text(still_counted), "suspended");
    assert_eq!(world.events("release", "ok"), 2);
}

fn last_step(world: &World, name: &str) -> i64 {
    let of_name = format!(
        "SELECT last_step FROM credential JOIN account ON account.credential_id = credential.id WHERE username = '{name}'"
    );
    world.text(&of_name).parse().unwrap()
}

/// The step of which a code that was accepted by a clock a day ahead is.
fn accept_a_code_of_tomorrow(world: &World, names: &str) {
    world.sql(&format!(
        "UPDATE credential SET last_step = last_step + 2880 FROM account
         WHERE account.credential_id = credential.id AND username IN ({names})"
    ));
}

#[test]
fn a_release_ends_a_wait_and_takes_a_step_back_from_the_future() {
    let mut world = World::new();
    let [ahead, _, _] = ["ahead", "waiting", "other"].map(|name| world.owner(name));
    accept_a_code_of_tomorrow(&world, "'ahead', 'other'");
    world
        .sql("UPDATE account SET wrong_codes = 7, locked_until = now() + '1 day' WHERE username = 'waiting'");
    let [waiting, other] = ["waiting", "other"].map(|name| last_step(&world, name));

    let before = Step::at(world.time()).value();
    for released in ["true", "false"] {
        for name in ["ahead", "waiting"] {
            assert_eq!(world.text(&format!("SELECT release_account('{name}')")), released, "{name}");
        }
    }
    let after = Step::at(world.time()).value();
    assert_eq!(world.text(STATES), "ahead active, other active, waiting active");
    let shut_out = "SELECT count(*) FROM account WHERE wrong_codes > 0 OR locked_until IS NOT NULL";
    assert_eq!(world.text(shut_out), "0");
    assert_eq!(last_step(&world, "waiting"), waiting, "what lies in the past stays");
    assert_eq!(last_step(&world, "other"), other);
    assert_eq!(world.text("SELECT count(*) FROM session"), "1", "the other's");
    assert_eq!(world.events("release", "ok"), 2);

    let newest = last_step(&world, "ahead");
    let out_of_reach = before + TOTP_WINDOW_STEPS + 2..=after + TOTP_WINDOW_STEPS + 2;
    assert!(out_of_reach.contains(&newest), "{newest} is not in {out_of_reach:?}");
    assert_eq!(world.login(&ahead, Some(newest)).unwrap_err(), Refusal::ReusedCode);
    world.sign_in(&ahead, newest + 1);
}

/// What is stored under a name, as an operator sees it.
fn export(world: &World, name: &str) -> Option<Export> {
    account::export_of(&NativeDatabase::new(world.database.owner()), name).unwrap()
}

#[test]
fn an_operator_is_told_of_an_account_in_any_state_what_its_owner_is_shown() {
    let mut world = World::new();
    let (alice, _) = (world.owner("alice"), world.owner("bob"));
    for name in ["alice", "bob"] {
        add_draft(&world, name);
    }
    let rows = format!("SELECT count(*) FROM {}('alice')", function("account/of_name.sql"));
    assert_eq!(world.text(&rows), "1");
    let step = world.next_step();
    let ended = world.sign_in(&alice, step).session_id;
    world.sql(&format!(
        "UPDATE session SET last_seen_at = now() - make_interval(secs => {SESSION_IDLE_SECONDS}) WHERE id = '{ended}'"
    ));
    let token = alice.session.hash();
    let shown = account::export(&world.app, &token).unwrap();
    assert_eq!(shown.sessions.len(), 1, "the other one has ended");
    for state in ["active", "expired", "suspended"] {
        world.sql(&format!("UPDATE account SET state = '{state}' WHERE username = 'alice'"));
        let told = export(&world, "alice").unwrap();
        assert_eq!(told.account, account::OwnAccount { state: state.to_owned(), ..shown.account.clone() });
        assert_eq!(told.events, shown.events);
        let of_nobody =
            shown.sessions.iter().map(|one| session::OwnSession { is_current: false, ..one.clone() });
        assert_eq!(told.sessions, of_nobody.collect::<Vec<_>>());
    }

    let pending = world.start("carol");
    let told = export(&world, "carol").unwrap();
    assert_eq!((told.account.account_id, told.account.state.as_str()), (pending.account_id, "pending"));
    assert_eq!((told.account.credential, told.sessions.len()), (None, 0));
    assert!(told.account.unconfirmed.is_some());
    assert_eq!(told.events.newest.len(), 1);
    assert!(export(&world, "dave").is_none());
}

/// Calls the function: how many credentials, sessions and renewal tokens went, how many events stay, and for how many
/// months the name is reserved. Empty where there is no such account.
fn erase(world: &World, name: &str) -> String {
    let erase = function("account/erase.sql");
    world.text(&format!(
        "SELECT coalesce((SELECT concat_ws(' ', credentials, sessions, renewal_tokens, events,
             (SELECT months FROM generate_series(0, 24) AS months
              WHERE reserved_until = floor(extract(epoch FROM now() + make_interval(months => months)))))
         FROM {erase}('{name}', {RESERVED_NAME_MONTHS})), '')"
    ))
}

#[test]
fn an_erasure_takes_all_of_one_account_in_any_state_and_keeps_a_name_that_was_ever_known() {
    let mut world = World::new();
    for state in ["active", "expired", "suspended"] {
        world.owner(state);
        add_draft(&world, state);
        world.sql(&format!(
            "UPDATE account SET state = '{state}' WHERE username = '{state}';
             INSERT INTO renewal_token SELECT name_hash('{state}' || n), credential_id, now() + '1 minute'
             FROM account, generate_series(1, 3) AS n WHERE username = '{state}'"
        ));
    }
    world.start("pending");
    let belongings = "SELECT concat_ws(' ', (SELECT count(*) FROM account), (SELECT count(*) FROM credential),
        (SELECT count(*) FROM session), (SELECT count(*) FROM renewal_token), (SELECT count(*) FROM reserved_name))";
    assert_eq!(world.text(belongings), "4 7 3 9 0");
    assert_eq!(erase(&world, "nobody"), "");
    for (state, left) in [("active", "3 5 2 6 1"), ("expired", "2 3 1 3 2"), ("suspended", "1 1 0 0 3")] {
        // Four events of the journey, and its own.
        assert_eq!(erase(&world, state), "2 1 3 5 12", "{state}");
        assert_eq!(world.text(belongings), left, "{state}");
        assert!(!world.try_start(state), "{state}");
        assert_eq!(erase(&world, state), "", "{state}: there is none any more");
    }
    assert_eq!(erase(&world, "pending"), "1 0 0 2");
    assert_eq!(world.text(belongings), "0 0 0 0 3");
    assert!(world.try_start("pending"));
    assert_eq!(world.events("erase", "ok"), 4);
}

/// An operator may have reserved it, for less.
#[test]
fn an_erasure_reserves_a_name_anew() {
    let mut world = World::new();
    world.owner("alice");
    world.sql("INSERT INTO reserved_name VALUES (name_hash('alice'), now() + '1 day')");
    assert_eq!(erase(&world, "alice"), "1 1 0 5 12");
}
