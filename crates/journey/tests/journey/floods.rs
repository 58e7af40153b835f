//! A flood of guesses, at whomever, slows nobody's login or look at the own account down, by a plan that was kept neither.

use journey::{account, login};

use crate::world::{World, tickets};

/// Half of all events are one account's, most others nobody's; a plan for the average account would expect thousands.
const FLOOD: &str = "
    SET session_replication_role = replica;
    INSERT INTO event (at, kind, outcome, account_id)
    SELECT now() - i * interval '1 millisecond', 'login', 'wrong_password',
        CASE i % 2 WHEN 0 THEN (SELECT id FROM account WHERE username = 'flooded') END
    FROM generate_series(1, 200000) AS i;
    INSERT INTO event (at, kind, outcome, account_id)
    SELECT now() - i * interval '1 minute', 'login', 'ok', (SELECT id FROM account WHERE username = 'alice')
    FROM generate_series(1, 2000) AS i;
    ANALYZE event";

/// What PostgreSQL read of the events: rows by a scan of the table, and entries of indexes.
pub(crate) fn read(world: &World) -> i64 {
    let statement = "SELECT (seq_tup_read + (
            SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'event'))::bigint
        FROM pg_stat_user_tables WHERE relname = 'event'";
    world.text(statement).parse().unwrap()
}

#[test]
fn a_login_and_a_look_read_no_more_of_a_flood_than_they_tell() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.owner("flooded");
    world.sql(FLOOD);
    // A plan is kept from the sixth time on.
    for time in 0..10 {
        // So far back that the whole flood came since.
        world.sql("UPDATE account SET last_login_at = now() - interval '1 day' WHERE username = 'alice'");
        let before = read(&world);
        let proof = world.right_password(&owner, Some(world.next_step()));
        login::commit(&world.app, &proof, tickets(time)).unwrap();
        assert_eq!(account::events(&world.app, owner.account_id).unwrap().newest.len(), 1_000);
        world.flush_statistics();
        let rows = read(&world) - before;
        assert!((1_000..10_000).contains(&rows), "time {time}: {rows} entries of 200,000 were read");
    }
}
