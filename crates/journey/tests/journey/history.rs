//! What an owner is told about the logins before.

use crate::world::{World, function};

#[test]
fn refused_logins_are_counted_for_their_owner_since_the_last_one_that_was_not() {
    let mut world = World::new();
    let (alice, bob) = (world.owner("alice"), world.owner("bob"));
    let event = |at: &str, kind: &str, outcome: &str, of: &str| {
        world.sql(&format!(
            "INSERT INTO event (at, kind, outcome, account_id)
             VALUES ({at}, '{kind}', '{outcome}', (SELECT id FROM account WHERE username = '{of}'))"
        ));
    };
    let failed_logins_since = function("words/failed_logins_since.sql");
    let failed = |since: &str| {
        world
            .text(&format!("SELECT {failed_logins_since}(id, {since}) FROM account WHERE username = 'alice'"))
    };
    event("now()", "login", "wrong_password", "alice");
    event("now()", "login", "waiting", "alice");
    assert_eq!(failed("NULL"), "2", "without a login before, all of them");
    event("now()", "login", "wrong_password", "bob");
    event("now()", "activate", "wrong_password", "alice");
    event("now()", "login", "ok", "alice");
    event("now()", "login", "expired", "alice");
    event("now() - '1 day'::interval", "login", "wrong_password", "alice");
    assert_eq!(
        failed("now() - '1 hour'::interval"),
        "2",
        "another's, another step's, what was right and what is long ago"
    );
    assert_ne!(alice.account_id, bob.account_id);
}
