//! Who is refused leaves exactly one event, and a value that does not open leaves one too.

use domain::OpenError;
use journey::account::{self, deletion};
use journey::functions::REFUSAL_RECORD;
use journey::start::{self, NewAccount, NewCode};
use journey::{Error, Refusal, Stop, activate, enroll, login, reveal, session};

use crate::world::{World, decided};

/// What was refused so far, and the events that were there before.
struct Refused {
    world: World,
    seen: i64,
}

impl Refused {
    /// Tries something, and holds what it came to against the refusal and its one event.
    #[track_caller]
    fn by<T>(&mut self, refusal: Refusal, event: &str, attempt: impl FnOnce(&mut World) -> Result<T, Stop>) {
        assert_eq!(decided(attempt(&mut self.world)).err(), Some(refusal), "{event}");
        let told =
            format!("SELECT string_agg(kind || '/' || outcome, ' ') FROM event WHERE id > {}", self.seen);
        assert_eq!(self.world.text(&told), event);
        self.seen = newest(&self.world);
    }
}

fn newest(world: &World) -> i64 {
    world.text("SELECT max(id) FROM event").parse().unwrap()
}

#[test]
fn every_refusal_that_stands_alone_can_be_recorded() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let [unrevealed, late, revealed, ready] =
        ["unrevealed", "late", "revealed", "ready"].map(|name| world.start(name).draft);
    world.sql("UPDATE credential SET reveal_expires_at = now() WHERE account_id = (SELECT id FROM account WHERE username = 'late')");
    world.reveal(&revealed.reveal_token);
    world.prepare(&ready);
    let (nobodys, wrong) = (world.token(), world.attempt("wrong", &owner.phone));
    let (none, own) = (nobodys.hash(), owner.session.hash());
    let [unrevealed, revealed_start, ready] =
        [&unrevealed, &revealed, &ready].map(|draft| &draft.enrollment_token);
    let seen = newest(&world);
    let mut refused = Refused { world, seen };

    refused.by(Refusal::UsernameTaken, "start/username_taken", |world| {
        let taken = NewAccount::draw(owner.username.clone(), &mut world.randomness)?;
        taken.create(&world.app)
    });
    refused.by(Refusal::TokenInvalid, "new_code/token_invalid", |world| {
        let start = world.open(unrevealed);
        NewCode::draw(&world.app, start, unrevealed, &owner.username, &mut world.randomness)
    });
    refused.by(Refusal::TokenInvalid, "poll/token_invalid", |world| start::poll(&world.app, &none));
    for (refusal, event, code) in [
        (Refusal::TokenUnknown, "reveal/token_unknown", &nobodys),
        (Refusal::TokenUsed, "reveal/token_used", &revealed.reveal_token),
        (Refusal::TokenExpired, "reveal/token_expired", &late.reveal_token),
    ] {
        refused
            .by(refusal, event, |world| reveal::make(&world.app, &world.keys, &mut world.randomness, code));
    }
    for (refusal, event, token) in [
        (Refusal::TokenInvalid, "enroll/token_invalid", &nobodys),
        (Refusal::PasswordNotRevealed, "enroll/password_not_revealed", unrevealed),
    ] {
        refused
            .by(refusal, event, |world| enroll::make(&world.app, &world.keys, &mut world.randomness, token));
    }
    for (refusal, event, token) in [
        (Refusal::TokenInvalid, "activate/token_invalid", &nobodys),
        (Refusal::PasswordNotRevealed, "activate/password_not_revealed", unrevealed),
        (Refusal::TotpNotStarted, "activate/totp_not_started", revealed_start),
        (Refusal::WrongPassword, "activate/wrong_password", ready),
    ] {
        refused.by(refusal, event, |world| {
            activate::activate(&world.app, &world.keys, &mut world.randomness, token, &wrong)
        });
    }
    refused.by(Refusal::WrongPassword, "login/wrong_password", |world| {
        login::login(&world.app, &world.keys, &mut world.randomness, &owner.username, &wrong)
    });
    let invalid = Refusal::SessionInvalid;
    refused.by(invalid, "session/session_invalid", |world| session::touch(&world.app, &none));
    refused.by(invalid, "session/session_invalid", |world| session::list(&world.app, &none));
    refused.by(invalid, "session/session_invalid", |world| account::export(&world.app, &none));
    refused.by(invalid, "logout/session_invalid", |world| session::end(&world.app, &none));
    for (refusal, event, session) in
        [(invalid, "delete/session_invalid", &none), (Refusal::WrongPassword, "delete/wrong_password", &own)]
    {
        refused.by(refusal, event, |world| deletion::delete(&world.app, &world.keys, session, &wrong));
    }
}

#[test]
fn a_refusal_that_cannot_be_recorded_is_a_fault() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let wrong = world.attempt("wrong", &owner.phone);
    let name = REFUSAL_RECORD.statement().split(['.', '(']).nth(1).unwrap();
    world.sql(&format!("REVOKE EXECUTE ON FUNCTION identity.{name} FROM cofrap_app"));
    let refused =
        login::login(&world.app, &world.keys, &mut world.randomness, &owner.username, &wrong).unwrap_err();
    assert!(matches!(refused, Stop::Fault(Error::Unavailable(_))), "{refused:?}");
}

#[test]
fn a_value_that_does_not_open_leaves_its_account_and_the_reason() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let attempt = world.attempt(&owner.password, &owner.phone);
    let verifier = world.text("SELECT verifier FROM credential");
    for (why, outcome, changed) in [
        (OpenError::UnknownKey { key_id: "k9".to_owned() }, "unknown_key", "set_byte(verifier, 3, 57)"),
        (OpenError::UnknownVersion, "unknown_version", "set_byte(verifier, 0, 9)"),
        (OpenError::Malformed, "malformed", "substring(verifier FOR 3)"),
        (OpenError::Forged, "forged", "set_bit(verifier, 100, 1 - get_bit(verifier, 100))"),
    ] {
        world.sql(&format!("UPDATE credential SET verifier = {changed}"));
        let stop = login::login(&world.app, &world.keys, &mut world.randomness, &owner.username, &attempt);
        let Err(Stop::Fault(Error::Unreadable(unreadable))) = stop else { panic!("{stop:?}") };
        assert_eq!((unreadable.place.account, unreadable.why), (owner.account_id, why));
        assert_eq!(world.events("unreadable", outcome), 1);
        world.sql(&format!("UPDATE credential SET verifier = '{verifier}'"));
    }
    let theirs = format!(
        "SELECT count(*) FROM event WHERE kind = 'unreadable' AND account_id = '{}'",
        owner.account_id
    );
    assert_eq!(world.text(&theirs), "4");
}
