//! Every end is exact: at its time what it ends is over, and a microsecond before it is not.

use domain::{PlainToken, SessionId, TokenHash};
use harness::NativeDatabase;
use journey::account::{self, deletion};
use journey::login::Login;
use journey::session;
use journey::start::{NewAccount, NewCode, OpenStart, Renewal};
use journey::{Database, Refusal, Stop, enroll};

use crate::world::{Owner, World, can_go_on, decided, signs_in, waits};

/// Somebody with two sessions, two starts (one of which needs its activation only), a renewal, and a reserved name.
struct Scene {
    world: World,
    owner: Owner,
    session: SessionId,
    other_session: SessionId,
    step: i64,
    unrevealed: NewAccount,
    enrolled: OpenStart,
    enrolled_with: PlainToken,
    new_code: NewCode,
    new_secret: enroll::NewSecret,
    renewal: Renewal,
}

/// Tries something, and says whether it was still good.
type Trial = fn(&mut Scene) -> bool;

impl Scene {
    fn new() -> Self {
        let mut world = World::new();
        let expired = world.owner("expired");
        world.sql("UPDATE credential SET expires_at = now()");
        let renewal = world.renewal(&expired);
        let owner = world.owner("alice");
        let session = session::list(&world.app, &owner.session.hash()).unwrap()[0].session_id;
        let step = world.next_step();
        let other_session = world.sign_in(&owner, step).session_id;
        let unrevealed = world.start("unrevealed");
        let draft = world.start("enrolled").draft;
        let enrolled = world.prepare(&draft);
        let new_code = world.new_code(&draft.enrollment_token);
        let new_secret = world.new_secret(world.open(&draft.enrollment_token));
        world.sql("INSERT INTO reserved_name VALUES (name_hash('reserved'), now() + '1 month')");
        let step = world.next_step();
        world.app = NativeDatabase::new(world.database.owner());
        let enrolled_with = draft.enrollment_token;
        Self {
            world,
            owner,
            session,
            other_session,
            step,
            unrevealed,
            enrolled,
            enrolled_with,
            new_code,
            new_secret,
            renewal,
        }
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
        self.app().query(statement, &[]).unwrap();
    }

    fn app(&self) -> &NativeDatabase {
        &self.world.app
    }

    fn token(&self) -> TokenHash {
        self.owner.session.hash()
    }

    fn lists_the_other_session(&self) -> bool {
        let list = session::list(self.app(), &self.token()).unwrap();
        list.iter().any(|session| session.session_id == self.other_session)
    }

    fn login(&mut self) -> Result<Login, Refusal> {
        self.world.login(&self.owner, Some(self.step))
    }

    fn deletion(&self) -> Result<(), Refusal> {
        let proof = self.world.right_password(&self.owner, Some(self.step));
        decided(deletion::commit(self.app(), &proof, &self.token()))
    }
}

fn is_granted<T>(result: Result<T, Stop>) -> bool {
    decided(result).is_ok()
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
        ("a look", |scene| is_granted(session::touch(scene.app(), &scene.token()))),
        ("the list", |scene| is_granted(session::list(scene.app(), &scene.token()))),
        ("the account", |scene| account::load(scene.app(), &scene.token()).unwrap().is_some()),
        ("a logout", |scene| is_granted(session::end(scene.app(), &scene.token()))),
        ("the end of one", |scene| is_granted(session::end_own(scene.app(), &scene.token(), scene.session))),
        ("a deletion's load", |scene| deletion::load(scene.app(), &scene.token()).unwrap().is_some()),
        ("a deletion", |scene| scene.deletion().is_ok()),
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
    ("credentials", "UPDATE credential SET expires_at = {end} WHERE live", |scene| signs_in(&scene.login())),
    ("a wait", "UPDATE account SET wrong_codes = 5, locked_until = {end} WHERE state = 'active'", |scene| {
        waits(&scene.login())
    }),
    (
        "a wait, for a deletion",
        "UPDATE account SET wrong_codes = 5, locked_until = {end} WHERE state = 'active'",
        |scene| waits(&scene.deletion()),
    ),
    ("a start", START, |scene| can_go_on(scene.app(), &scene.enrolled_with)),
    ("a start, for a new code", START, |scene| is_granted(scene.new_code.replace(scene.app()))),
    ("a start, for its activation", START, |scene| {
        scene.world.activate(&scene.enrolled, Some(scene.step)).is_ok()
    }),
    (
        "a wait, for an activation",
        "UPDATE credential SET wrong_codes = 5, locked_until = {end} WHERE NOT live",
        |scene| waits(&scene.world.activate(&scene.enrolled, Some(scene.step))),
    ),
    ("a start, for another secret", START, |scene| is_granted(scene.new_secret.commit(scene.app()))),
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
        let new = scene.world.new_password(&scene.unrevealed.draft.reveal_token);
        is_granted(new.commit(scene.app()))
    }),
    ("a renewal token", "UPDATE renewal_token SET expires_at = {end}", |scene| {
        is_granted(scene.renewal.begin(scene.app()))
    }),
    (
        "a name that waits for its start",
        "UPDATE account SET pending_until = {end} WHERE state = 'pending'",
        |scene| !scene.world.try_start("unrevealed"),
    ),
    ("a reserved name", "UPDATE reserved_name SET reserved_until = {end}", |scene| {
        !scene.world.try_start("reserved")
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
