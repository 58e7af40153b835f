//! Live traffic beside the owner's purge: each part keeps a promise.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use domain::{Step, Username};
use harness::seeded::Seeded;
use harness::{NativeDatabase, TestDatabase};
use journey::start::{self, NewAccount, NewDraft, Renewal};
use journey::{Refusal, RightPassword, login};

use crate::purge::{TWELVE_MONTHS_AGO, purge};
use crate::world::{Owner, World, can_go_on, decided, has_expired, is_open, tickets};

/// What the live traffic is made of.
struct Traffic<'a> {
    database: &'a TestDatabase,
    done: AtomicBool,
    begin: Barrier,
}

impl Traffic<'_> {
    /// Two purges at once, in batches so small that they go on all the time.
    fn purges(&self) -> u64 {
        let mut owner = self.database.owner();
        self.begin.wait();
        let mut total = 0;
        while !self.done.load(Ordering::Relaxed) {
            total += purge(&mut owner, 2).values().sum::<i64>().unsigned_abs();
        }
        total
    }

    /// A name whose start has ended is free, whoever removes it; a start that was acknowledged is there.
    fn starts(&self) {
        let (app, mut owner) = (self.database.store(), self.database.owner());
        self.begin.wait();
        let mut randomness = Seeded::new(300);
        for _ in 0..100 {
            let account = NewAccount::draw(Username::parse("again").unwrap(), &mut randomness).unwrap();
            account.create(&app).expect("the name is free");
            assert!(can_go_on(&app, &account.draft.enrollment_token));
            let ends = "WITH ended AS (UPDATE account SET pending_until = now() WHERE username = 'again' RETURNING id)
                UPDATE credential SET deadline = now(), reveal_expires_at = now() FROM ended WHERE account_id = ended.id";
            owner.batch_execute(ends).unwrap();
        }
    }

    /// A session that a login opened is good.
    fn logins(&self, proof: RightPassword, first_step: i64) {
        let app = self.database.store();
        self.begin.wait();
        let nobodys = tickets(399).renewal_token.hash();
        for number in 0..100 {
            let step = Some(Step::from_value(first_step + number));
            let seed = 400 + number.unsigned_abs();
            login::commit(&app, &RightPassword { step, ..proof }, tickets(seed)).unwrap();
            assert!(is_open(&app, &tickets(seed).session.token));
            assert_eq!(decided(start::poll(&app, &nobodys)).unwrap_err(), Refusal::TokenInvalid);
        }
    }

    /// A renewal that was acknowledged is there, whatever became of the one before it.
    fn repeated_renewals(&self, who: &Owner, proof: RightPassword, first_step: i64) {
        let (app, mut owner) = (self.database.store(), self.database.owner());
        self.begin.wait();
        for number in 0..200 {
            let step = Some(Step::from_value(first_step + number));
            let seed = 2_000 + number.unsigned_abs();
            let outcome = decided(login::commit(&app, &RightPassword { step, ..proof }, tickets(seed)));
            assert!(has_expired(&outcome), "{outcome:?}");
            let draft = renew(&app, who, seed);
            assert!(can_go_on(&app, &draft.enrollment_token));
            let ends = "UPDATE credential SET deadline = now(), reveal_expires_at = now() WHERE id = $1";
            owner.execute(ends, &[draft.credential_id.as_uuid()]).unwrap();
        }
    }

    /// Who came back after a year and was told to renew can; who was forgotten a moment before is unknown.
    fn renewals(&self, owners: &[(Owner, RightPassword)]) -> Vec<NewDraft> {
        let (app, mut owner) = (self.database.store(), self.database.owner());
        self.begin.wait();
        let mut drafts = Vec::new();
        for (seed, (who, proof)) in (600..).zip(owners) {
            let expire = format!("UPDATE credential SET expires_at = {TWELVE_MONTHS_AGO} WHERE id = $1");
            owner.execute(&expire, &[proof.credential_id.as_uuid()]).unwrap();
            let outcome = decided(login::commit(&app, proof, tickets(seed)));
            if has_expired(&outcome) {
                drafts.push(renew(&app, who, seed));
            } else {
                assert_eq!(outcome.unwrap_err(), Refusal::Stale, "{}", who.username);
            }
        }
        drafts
    }
}

/// Renews with the token that a login got from the tickets of this seed.
fn renew(app: &NativeDatabase, who: &Owner, seed: u64) -> NewDraft {
    let token = tickets(seed).renewal_token;
    let renewal = Renewal::draw(&token, who.username.clone(), &mut Seeded::new(10_000 + seed)).unwrap();
    renewal.begin(app).expect("the token is good");
    renewal.draft
}

#[test]
fn live_traffic_beside_purges_sees_no_error_and_loses_nothing_that_was_acknowledged() {
    let mut world = World::new();
    let active = world.owner("active");
    let first_step = world.next_step();
    let active = world.right_password(&active, None);
    let renewing = world.owner("renewing");
    let renewing_proof = world.right_password(&renewing, None);
    world.sql("UPDATE credential SET expires_at = now() FROM account WHERE username = 'renewing' AND account.id = account_id");
    let mut forgotten = Vec::new();
    for number in 0..40 {
        let owner = world.owner(&format!("forgotten-{number}"));
        let step = world.next_step();
        let proof = world.right_password(&owner, Some(step));
        forgotten.push((owner, proof));
    }
    // Something to do all the time.
    world.sql(
        "INSERT INTO event (at, kind, outcome)
         SELECT now() - interval '2 days', 'login', 'wrong_password' FROM generate_series(1, 20000)",
    );
    let traffic = Traffic { database: &world.database, done: AtomicBool::new(false), begin: Barrier::new(6) };
    let drafts = thread::scope(|scope| {
        let purges = [(); 2].map(|()| scope.spawn(|| traffic.purges()));
        let others = [
            scope.spawn(|| traffic.starts()),
            scope.spawn(|| traffic.logins(active, first_step)),
            scope.spawn(|| traffic.repeated_renewals(&renewing, renewing_proof, first_step)),
        ];
        let renewals = scope.spawn(|| traffic.renewals(&forgotten)).join();
        let others = others.map(thread::ScopedJoinHandle::join);
        traffic.done.store(true, Ordering::Relaxed);
        assert!(purges.into_iter().map(|run| run.join().unwrap()).sum::<u64>() > 0);
        others.into_iter().for_each(|other| other.unwrap());
        renewals.unwrap()
    });
    let gone: usize = world.text("SELECT count(*) FROM reserved_name").parse().unwrap();
    assert_eq!(gone + drafts.len(), forgotten.len(), "each was forgotten or is renewing");
    for draft in drafts {
        let start = world.prepare(&draft);
        let session = world.activate(&start, Some(first_step)).unwrap().session;
        assert!(is_open(&world.app, &session.token));
    }
}
