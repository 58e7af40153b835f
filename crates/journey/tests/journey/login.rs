//! Login: one guess at a time, one login per code.

use domain::journey::login::{Evidence, Outcome};
use domain::{
    AfterWrongCode, LockSchedule, OpenError, Place, PlainToken, SealedColumn, Step, Unreadable, Username,
};
use store::event::{self, Refusal};
use store::login::Tickets;

use crate::journey::{Owner, Seeded, World};
use crate::race::race;

pub(crate) fn tickets(seed: u64) -> Tickets {
    let mut randomness = Seeded::new(seed);
    let session = domain::journey::session::NewSession::draw(&mut randomness).unwrap();
    Tickets { session, renewal_token: PlainToken::generate(&mut randomness).unwrap() }
}

fn count(outcomes: &[Outcome], is: impl Fn(&Outcome) -> bool) -> usize {
    outcomes.iter().filter(|outcome| is(outcome)).count()
}

fn logins_at_once(
    world: &World,
    owner: &Owner,
    contenders: u64,
    step: impl Fn(u64) -> Option<i64> + Sync,
) -> Vec<Outcome> {
    let proof = world.right_password(owner, None);
    race(&world.database, contenders, |connection, contender| {
        let proof = store::login::RightPassword { step: step(contender).map(Step::from_value), ..proof };
        store::login::commit(connection, &proof, &tickets(100 + contender)).unwrap()
    })
}

#[test]
fn a_name_without_a_live_credential_loads_like_any_other_and_proves_nothing() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let pending = world.start("pending");
    let unknown = Username::parse("unknown").unwrap();
    for (username, account_id) in [(unknown, None), (pending.username, Some(pending.account_id))] {
        let evidence = world.examine(&username, &owner.password, &owner.phone);
        assert_eq!(evidence, Evidence::WrongPassword { account_id });
    }
    let evidence = world.examine(&owner.username, "wrong", &owner.phone);
    assert_eq!(evidence, Evidence::WrongPassword { account_id: Some(owner.account_id) });
}

#[test]
fn a_code_opens_one_session_and_never_an_older_one_after_it() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step() + 1;
    let (outcome, tickets) = world.login(&owner, Some(step));
    assert!(matches!(outcome, Outcome::Authenticated { .. }), "{outcome:?}");
    assert!(store::session::touch(&world.store, &tickets.session.token.hash()).unwrap().is_some());
    assert_eq!(world.login(&owner, Some(step)).0, Outcome::ReusedCode);
    assert_eq!(world.login(&owner, Some(step - 1)).0, Outcome::ReusedCode);
    assert_eq!(world.text("SELECT wrong_codes FROM account"), "0", "a used code is no guess");
}

#[test]
fn of_many_logins_with_one_code_one_wins() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step();
    let outcomes = logins_at_once(&world, &owner, 50, |_| Some(step));
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, Outcome::Authenticated { .. })), 1);
    assert_eq!(count(&outcomes, |outcome| *outcome == Outcome::ReusedCode), 49);
    assert_eq!(world.text("SELECT count(*) FROM session"), "2", "the activation's and this one");
    assert_eq!((world.events("login", "ok"), world.events("login", "reused_code")), (1, 49));
}

#[test]
fn many_wrong_codes_at_once_get_no_more_guesses_than_one_after_the_other() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step();
    let outcomes = logins_at_once(&world, &owner, 50, |contender| (contender == 49).then_some(step));
    let wrong = count(&outcomes, |outcome| *outcome == Outcome::WrongCode);
    let waiting = count(&outcomes, |outcome| matches!(outcome, Outcome::Waiting(_)));
    let right = count(&outcomes, |outcome| matches!(outcome, Outcome::Authenticated { .. }));
    // A right code in between starts the count anew.
    assert!(wrong <= if right == 1 { 9 } else { 5 }, "{wrong} guesses");
    assert_eq!(wrong + waiting + right, 50);
}

#[test]
fn wrong_codes_wait_and_suspend_as_the_domain_says_over_the_whole_table() {
    let mut world = World::new();
    let owner = world.owner("alice");
    for wrong_code in 1..=LockSchedule::LOGIN.stop_at {
        world.sql("UPDATE account SET locked_until = NULL");
        assert_eq!(world.login(&owner, None).0, Outcome::WrongCode, "{wrong_code}");
        let waits =
            world.text("SELECT coalesce(extract(epoch FROM locked_until - now()), 0)::bigint FROM account");
        let minutes = waits.parse::<u32>().unwrap().div_ceil(60);
        let state = world.text("SELECT state FROM account");
        let verdict = match (minutes, state.as_str()) {
            (0, "active") => AfterWrongCode::Continue,
            (minutes, "active") => AfterWrongCode::Wait { minutes },
            _ => AfterWrongCode::Stop,
        };
        assert_eq!(verdict, LockSchedule::LOGIN.verdict_after(wrong_code), "{wrong_code}");
    }
    let step = world.next_step();
    assert_eq!(world.login(&owner, Some(step)).0, Outcome::Suspended);
    assert!(store::session::touch(&world.store, &owner.session.hash()).unwrap().is_none());
    assert_eq!(world.text("SELECT release_account('alice')"), "true");
    assert!(matches!(world.login(&owner, Some(step)).0, Outcome::Authenticated { .. }));
}

#[test]
fn while_it_waits_a_right_code_is_neither_accepted_nor_used_up() {
    let mut world = World::new();
    let owner = world.owner("alice");
    for _ in 0..LockSchedule::LOGIN.first_wait_at {
        world.login(&owner, None);
    }
    // Time for a slow machine.
    world.sql("UPDATE account SET locked_until = locked_until + '59 minutes'::interval");
    let step = world.next_step();
    let (outcome, _) = world.login(&owner, Some(step));
    let Outcome::Waiting(wait) = outcome else { panic!("{outcome:?}") };
    assert!((3_000..=3_600).contains(&wait.retry_after_seconds), "{wait:?}");
    world.sql("UPDATE account SET locked_until = now()");
    assert!(matches!(world.login(&owner, Some(step)).0, Outcome::Authenticated { .. }));
    assert_eq!(world.text("SELECT wrong_codes FROM account"), "0");
}

#[test]
fn expired_credentials_mark_the_account_and_open_no_session() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let step = world.next_step();
    let (outcome, tickets) = world.login(&owner, Some(step));
    assert_eq!(outcome, Outcome::Expired);
    assert_eq!(world.text("SELECT state FROM account"), "expired");
    assert!(store::session::touch(&world.store, &tickets.session.token.hash()).unwrap().is_none());
    assert_eq!(world.login(&owner, Some(step)).0, Outcome::ReusedCode);
    assert_eq!(world.login(&owner, None).0, Outcome::WrongCode);
}

#[test]
fn a_wrong_password_is_an_event_and_touches_no_row_of_the_account() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let row = "SELECT xmin::text || account::text FROM account";
    let before = world.text(row);
    for account_id in [Some(owner.account_id), None] {
        event::record(&world.store, Refusal::LoginWrongPassword, account_id).unwrap();
    }
    assert_eq!(world.text(row), before);
    assert_eq!(world.events("login", "wrong_password"), 2);
}

#[test]
fn a_login_tells_the_one_before_it_and_what_failed_in_between() {
    let mut world = World::new();
    let owner = world.owner("alice");
    event::record(&world.store, Refusal::LoginWrongPassword, Some(owner.account_id)).unwrap();
    world.login(&owner, None);
    world.sql("UPDATE account SET last_login_at = now() - '1 day'::interval");
    let activated_at = world.text("SELECT floor(extract(epoch FROM last_login_at))::bigint FROM account");
    let step = world.next_step();
    let (_, tickets) = world.login(&owner, Some(step));
    let session = store::session::touch(&world.store, &tickets.session.token.hash()).unwrap().unwrap();
    assert_eq!(session.previous_login_at.unwrap().seconds().to_string(), activated_at);
    assert_eq!(session.failed_before, 2);
    assert_eq!(
        world.text("SELECT last_login_at > now() - '1 hour'::interval FROM account"),
        "true",
        "the next is told of it"
    );
}

#[test]
fn every_refusal_that_stands_alone_can_be_recorded() {
    let world = World::new();
    let refusals = [
        Refusal::StartUsernameTaken,
        Refusal::NewCodeTokenInvalid,
        Refusal::PollTokenInvalid,
        Refusal::RevealTokenUnknown,
        Refusal::RevealTokenUsed,
        Refusal::RevealTokenExpired,
        Refusal::EnrollTokenInvalid,
        Refusal::EnrollPasswordNotRevealed,
        Refusal::ActivateTokenInvalid,
        Refusal::ActivatePasswordNotRevealed,
        Refusal::ActivateTotpNotStarted,
        Refusal::ActivateWrongPassword,
        Refusal::LoginWrongPassword,
        Refusal::SessionInvalid,
        Refusal::LogoutSessionInvalid,
        Refusal::DeleteSessionInvalid,
        Refusal::DeleteWrongPassword,
    ];
    for refusal in refusals {
        event::record(&world.store, refusal, None).unwrap();
    }
    assert_eq!(world.text("SELECT count(*) FROM event"), refusals.len().to_string());
}

#[test]
fn a_value_that_does_not_open_leaves_its_account_and_the_reason() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let proof = world.right_password(&owner, None);
    let place = Place {
        column: SealedColumn::CredentialVerifier,
        account: owner.account_id,
        credential: proof.credential_id,
    };
    for (why, outcome) in [
        (OpenError::UnknownKey { key_id: "k9".to_owned() }, "unknown_key"),
        (OpenError::UnknownVersion, "unknown_version"),
        (OpenError::Malformed, "malformed"),
        (OpenError::Forged, "forged"),
    ] {
        event::record_unreadable(&world.store, &Unreadable { place, why }).unwrap();
        assert_eq!(world.events("unreadable", outcome), 1);
    }
    let theirs = format!(
        "SELECT count(*) FROM event WHERE kind = 'unreadable' AND account_id = '{}'",
        owner.account_id
    );
    assert_eq!(world.text(&theirs), "4");
}
