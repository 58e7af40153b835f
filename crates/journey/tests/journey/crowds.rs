//! Where one's own events are many and lie among those of others, as many are read as without the others, by a plan for
//! this account and by one for any.

use harness::NativeDatabase;
use journey::{account, login};

use crate::floods::read;
use crate::world::{World, tickets};

/// 40,000 refused logins, a quarter of them one account's and the others twenty others', as if by chance.
const CROWD: &str = "
    INSERT INTO event (at, kind, outcome, account_id)
    SELECT now() - number * interval '1 millisecond', 'login', 'wrong_password',
        CASE WHEN hashint4(number) % 4 = 0 THEN (SELECT id FROM account)
            ELSE ('0000000a-0000-4000-8000-0000000000' || 10 + abs(hashint4(number)) % 20)::uuid END
    FROM generate_series(1, 40000) AS number;
    ANALYZE event";

#[test]
fn who_is_one_of_many_has_only_the_own_events_read() {
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let mut world = World::new();
        let owner = world.owner("alice");
        world.sql(CROWD);
        world.sql("UPDATE account SET last_login_at = now() - interval '1 day'");
        let mut client = world.database.application();
        client.batch_execute(&format!("SET plan_cache_mode = {mode}")).unwrap();
        world.app = NativeDatabase::new(client);

        let proof = world.right_password(&owner, Some(world.next_step()));
        let before = read(&world);
        login::commit(&world.app, &proof, tickets(1)).unwrap();
        world.flush_statistics();
        let after = read(&world);
        assert!((1_000..1_100).contains(&(after - before)), "{mode}: {} for a login", after - before);

        account::events(&world.app, owner.account_id).unwrap();
        world.flush_statistics();
        let events = read(&world) - after;
        assert!((1_000..=11_000).contains(&events), "{mode}: {events} for a look");
    }
}
