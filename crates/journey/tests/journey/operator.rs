//! What the operator's functions do to one account, and leave as it is.

use crate::world::World;

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
