//! Every end is exact: at its time what it ends is over, and a microsecond before it is not.

use domain::SessionId;
use domain::journey::renew::{self, Renewal};
use domain::journey::session::Ending;
use domain::journey::{OpenStart, activate, deletion, enroll, login, reveal, start};
use harness::NativeDatabase;
use store::Database;

use crate::journey::{Owner, World};

/// Somebody with two sessions, two starts (one of which needs its activation only), a renewal, and a reserved name.
struct Scene {
    world: World,
    owner: Owner,
    session: SessionId,
    other_session: SessionId,
    step: i64,
    unrevealed: start::NewAccount,
    enrolled: OpenStart,
    enrolled_with: start::NewAccount,
    renewal: Renewal,
}

/// Tries something, and says whether it was still good.
type Trial = fn(&mut Scene) -> bool;

impl Scene {
    fn new() -> Self {
        let mut world = World::new();
        let expired = world.owner("expired");
        world.sql("UPDATE credential SET expires_at = now()");
        let step = world.next_step();
        let (outcome, tickets) = world.login(&expired, Some(step));
        assert_eq!(outcome, login::Outcome::Expired);
        let renewal = renew::decide(&tickets.renewal_token, expired.username, &mut world.randomness).unwrap();
        let owner = world.owner("alice");
        let session =
            store::session::list(&world.store, &owner.session.hash()).unwrap().unwrap()[0].session_id;
        let step = world.next_step();
        let other_session = world.login(&owner, Some(step)).1.session.session_id;
        let unrevealed = world.start("unrevealed");
        let enrolled_with = world.start("enrolled");
        world.reveal(&enrolled_with.draft.reveal_token);
        world.enroll(&enrolled_with.draft.enrollment_token);
        let enrolled = world.open(&enrolled_with.draft.enrollment_token);
        world.sql("INSERT INTO reserved_name VALUES (name_hash('reserved'), now() + '1 month')");
        let step = world.next_step();
        world.store = NativeDatabase::new(world.database.owner());
        Self { world, owner, session, other_session, step, unrevealed, enrolled, enrolled_with, renewal }
    }

    /// Whether something is good when its end is moved there, in a transaction, whose now() stands still.
    fn is_good(&mut self, moved: &str, end: &str, trial: Trial) -> bool {
        self.execute("BEGIN");
        let [current, other] = [self.session, self.other_session].map(|id| id.to_string());
        let moved = moved.replace("{end}", end).replace("{current}", &current).replace("{other}", &other);
        self.execute(&moved);
        let is_good = trial(self);
        self.execute("ROLLBACK");
        is_good
    }

    fn execute(&self, statement: &str) {
        self.world.store.execute(statement, &[]).unwrap();
    }

    fn is_taken(&mut self, name: &str) -> bool {
        let account = self.world.new_account(name);
        store::start::create_account(&self.world.store, &account).unwrap().is_none()
    }

    fn lists_the_other_session(&self) -> bool {
        let list = store::session::list(&self.world.store, &self.owner.session.hash()).unwrap().unwrap();
        list.iter().any(|session| session.session_id == self.other_session)
    }

    fn login(&mut self) -> login::Outcome {
        self.world.login(&self.owner, Some(self.step)).0
    }

    fn deletion(&mut self) -> deletion::Outcome {
        let proof = self.world.right_password(&self.owner, Some(self.step));
        store::deletion::commit(&self.world.store, &proof, &self.owner.session.hash()).unwrap()
    }
}

/// Ends of a session, and how they are moved.
const SESSION_ENDS: [(&str, &str); 3] = [
    ("idleness", "UPDATE session SET last_seen_at = {end} - interval '1 hour' WHERE id = '{current}'"),
    ("age", "UPDATE session SET created_at = {end} - interval '12 hours' WHERE id = '{current}'"),
    ("its credential", "UPDATE credential SET expires_at = {end} WHERE live"),
];

#[test]
fn a_session_is_good_for_whatever_it_is_good_for_until_its_very_end() {
    let uses: [(&str, Trial); 7] = [
        ("a look", |scene| {
            store::session::touch(&scene.world.store, &scene.owner.session.hash()).unwrap().is_some()
        }),
        ("the list", |scene| {
            store::session::list(&scene.world.store, &scene.owner.session.hash()).unwrap().is_some()
        }),
        ("the account", |scene| {
            store::account::load(&scene.world.store, &scene.owner.session.hash()).unwrap().is_some()
        }),
        ("a logout", |scene| store::session::end(&scene.world.store, &scene.owner.session.hash()).unwrap()),
        ("the end of one", |scene| {
            let hash = scene.owner.session.hash();
            store::session::end_own(&scene.world.store, &hash, scene.session).unwrap() != Ending::NoSession
        }),
        ("a deletion's load", |scene| {
            store::deletion::load(&scene.world.store, &scene.owner.session.hash()).unwrap().is_some()
        }),
        ("a deletion", |scene| scene.deletion() == deletion::Outcome::Deleted),
    ];
    let mut scene = Scene::new();
    for (what, moved) in SESSION_ENDS {
        for (used_for, is_good) in uses {
            assert!(
                scene.is_good(moved, "now() + interval '1 microsecond'", is_good),
                "{used_for}, {what}: before"
            );
            assert!(!scene.is_good(moved, "now()", is_good), "{used_for}, {what}: at its end");
        }
    }
}

const START: &str =
    "UPDATE credential SET deadline = {end}, reveal_expires_at = least(reveal_expires_at, {end})
    WHERE NOT live";

/// What ends, how its end is moved, and what it is good for until then.
const ENDS: [(&str, &str, Trial); 14] = [
    ("credentials", "UPDATE credential SET expires_at = {end} WHERE live", |scene| {
        matches!(scene.login(), login::Outcome::Authenticated { .. })
    }),
    ("a wait", "UPDATE account SET wrong_codes = 5, locked_until = {end} WHERE state = 'active'", |scene| {
        matches!(scene.login(), login::Outcome::Waiting(_))
    }),
    (
        "a wait, for a deletion",
        "UPDATE account SET wrong_codes = 5, locked_until = {end} WHERE state = 'active'",
        |scene| matches!(scene.deletion(), deletion::Outcome::Waiting(_)),
    ),
    ("a start", START, |scene| {
        let token = scene.enrolled_with.draft.enrollment_token.hash();
        store::start::load(&scene.world.store, &token).unwrap().is_some()
    }),
    ("a start, for a new code", START, |scene| {
        let token = scene.enrolled_with.draft.enrollment_token.hash();
        let code = start::new_code(&mut scene.world.randomness).unwrap();
        store::start::replace_code(&scene.world.store, &scene.enrolled, &token, &code).unwrap().is_some()
    }),
    ("a start, for its activation", START, |scene| {
        let (outcome, _) = scene.world.activate(&scene.enrolled, Some(scene.step));
        matches!(outcome, activate::Outcome::Activated { .. })
    }),
    (
        "a wait, for an activation",
        "UPDATE credential SET wrong_codes = 5, locked_until = {end} WHERE NOT live",
        |scene| {
            let (outcome, _) = scene.world.activate(&scene.enrolled, Some(scene.step));
            matches!(outcome, activate::Outcome::Waiting(_))
        },
    ),
    ("a start, for another secret", START, |scene| {
        let World { keys, randomness, store, .. } = &mut scene.world;
        let secret = enroll::make_secret(&scene.enrolled, keys, randomness).unwrap();
        store::enroll::commit(store, &scene.enrolled, &secret).unwrap() == enroll::Outcome::Issued
    }),
    (
        "the idleness of a session in the list",
        "UPDATE session SET last_seen_at = {end} - interval '1 hour' WHERE id = '{other}'",
        |scene| scene.lists_the_other_session(),
    ),
    (
        "the age of a session in the list",
        "UPDATE session SET created_at = {end} - interval '12 hours' WHERE id = '{other}'",
        |scene| scene.lists_the_other_session(),
    ),
    ("a code", "UPDATE credential SET reveal_expires_at = {end} WHERE revealed_at IS NULL", |scene| {
        scene.world.try_reveal(&scene.unrevealed.draft.reveal_token).0 == reveal::Outcome::Revealed
    }),
    ("a renewal token", "UPDATE renewal_token SET expires_at = {end}", |scene| {
        store::start::renew(&scene.world.store, &scene.renewal).unwrap().is_some()
    }),
    (
        "a name that waits for its start",
        "UPDATE account SET pending_until = {end} WHERE state = 'pending'",
        |scene| scene.is_taken("unrevealed"),
    ),
    ("a reserved name", "UPDATE reserved_name SET reserved_until = {end}", |scene| {
        scene.is_taken("reserved")
    }),
];

#[test]
fn everything_else_ends_at_its_very_end_too() {
    let mut scene = Scene::new();
    for (what, moved, is_good) in ENDS {
        assert!(scene.is_good(moved, "now() + interval '1 microsecond'", is_good), "{what}: before");
        assert!(!scene.is_good(moved, "now()", is_good), "{what}: at its end");
    }
}
