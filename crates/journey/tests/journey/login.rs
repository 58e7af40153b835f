//! Login: one guess at a time, one login per code.

use domain::{LockSchedule, Step, Username};
use journey::login::{self, Evidence, Login};
use journey::{Refusal, RightPassword, session};

use crate::deletion::verdict;
use crate::race::race;
use crate::world::{Owner, World, decided, has_expired, is_open, signs_in, tickets, waits};

type Outcome = Result<Login, Refusal>;

fn count(outcomes: &[Outcome], is: impl Fn(&Outcome) -> bool) -> usize {
    outcomes.iter().filter(|outcome| is(outcome)).count()
}

fn is_refused(outcome: &Outcome, refusal: Refusal) -> bool {
    outcome.as_ref().is_err_and(|found| *found == refusal)
}

fn logins_at_once(
    world: &World,
    owner: &Owner,
    contenders: u64,
    step: impl Fn(u64) -> Option<i64> + Sync,
) -> Vec<Outcome> {
    let proof = world.right_password(owner, None);
    race(&world.database, contenders, |connection, contender| {
        let proof = RightPassword { step: step(contender).map(Step::from_value), ..proof };
        decided(login::commit(connection, &proof, tickets(100 + contender)))
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
    let session = world.sign_in(&owner, step);
    assert!(is_open(&world.app, &session.token));
    assert_eq!(world.login(&owner, Some(step)).unwrap_err(), Refusal::ReusedCode);
    assert_eq!(world.login(&owner, Some(step - 1)).unwrap_err(), Refusal::ReusedCode);
    assert_eq!(world.text("SELECT wrong_codes FROM account"), "0", "a used code is no guess");
}

#[test]
fn of_many_logins_with_one_code_one_wins() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step();
    let outcomes = logins_at_once(&world, &owner, 50, |_| Some(step));
    assert_eq!(count(&outcomes, signs_in), 1);
    assert_eq!(count(&outcomes, |outcome| is_refused(outcome, Refusal::ReusedCode)), 49);
    assert_eq!(world.text("SELECT count(*) FROM session"), "2", "the activation's and this one");
    assert_eq!((world.events("login", "ok"), world.events("login", "reused_code")), (1, 49));
}

#[test]
fn many_wrong_codes_at_once_get_no_more_guesses_than_one_after_the_other() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let step = world.next_step();
    let outcomes = logins_at_once(&world, &owner, 50, |contender| (contender == 49).then_some(step));
    let wrong = count(&outcomes, |outcome| is_refused(outcome, Refusal::WrongCode));
    let (waiting, right) = (count(&outcomes, waits), count(&outcomes, signs_in));
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
        assert_eq!(world.login(&owner, None).unwrap_err(), Refusal::WrongCode, "{wrong_code}");
        assert_eq!(verdict(&world), LockSchedule::LOGIN.verdict_after(wrong_code), "{wrong_code}");
    }
    let step = world.next_step();
    assert_eq!(world.login(&owner, Some(step)).unwrap_err(), Refusal::Suspended);
    assert!(!is_open(&world.app, &owner.session));
    assert_eq!(world.text("SELECT release_account('alice')"), "true");
    world.sign_in(&owner, step);
}

#[test]
fn while_it_waits_a_right_code_is_neither_accepted_nor_used_up() {
    let mut world = World::new();
    let owner = world.owner("alice");
    for _ in 0..LockSchedule::LOGIN.first_wait_at {
        assert_eq!(world.login(&owner, None).unwrap_err(), Refusal::WrongCode);
    }
    // Time for a slow machine.
    world.sql("UPDATE account SET locked_until = locked_until + '59 minutes'::interval");
    let step = world.next_step();
    let Err(Refusal::Waiting(wait)) = world.login(&owner, Some(step)) else { panic!("it waits") };
    assert!((3_000..=3_600).contains(&wait.retry_after_seconds), "{wait:?}");
    world.sql("UPDATE account SET locked_until = now()");
    world.sign_in(&owner, step);
    assert_eq!(world.text("SELECT wrong_codes FROM account"), "0");
}

#[test]
fn expired_credentials_mark_the_account_and_open_no_session() {
    let mut world = World::new();
    let owner = world.owner("alice");
    world.sql("UPDATE credential SET expires_at = now()");
    let (step, tickets) = (world.next_step(), world.tickets());
    let token = tickets.session.token.hash();
    let proof = world.right_password(&owner, Some(step));
    assert!(has_expired(&decided(login::commit(&world.app, &proof, tickets))));
    assert_eq!(world.text("SELECT state FROM account"), "expired");
    let touched = decided(session::touch(&world.app, &token));
    assert_eq!(touched, Err(Refusal::SessionInvalid));
    assert_eq!(world.login(&owner, Some(step)).unwrap_err(), Refusal::ReusedCode);
    assert_eq!(world.login(&owner, None).unwrap_err(), Refusal::WrongCode);
}

#[test]
fn a_wrong_password_is_an_event_and_touches_no_row_of_the_account() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let wrong = world.attempt("wrong", &owner.phone);
    let row = "SELECT xmin::text || account::text FROM account";
    let before = world.text(row);
    for username in [owner.username, Username::parse("nobody").unwrap()] {
        let refused = login::login(&world.app, &world.keys, &mut world.randomness, &username, &wrong);
        assert_eq!(decided(refused).unwrap_err(), Refusal::WrongPassword);
    }
    assert_eq!(world.text(row), before);
    assert_eq!(world.events("login", "wrong_password"), 2);
    let whose = "SELECT count(account_id) FROM event WHERE outcome = 'wrong_password'";
    assert_eq!(world.text(whose), "1", "the account's, and nobody's");
}

#[test]
fn a_login_tells_the_one_before_it_and_what_failed_in_between() {
    let mut world = World::new();
    let owner = world.owner("alice");
    let wrong = world.attempt("wrong", &owner.phone);
    login::login(&world.app, &world.keys, &mut world.randomness, &owner.username, &wrong).unwrap_err();
    world.login(&owner, None).unwrap_err();
    world.sql("UPDATE account SET last_login_at = now() - '1 day'::interval");
    let activated_at = world.text("SELECT floor(extract(epoch FROM last_login_at))::bigint FROM account");
    let step = world.next_step();
    let token = world.sign_in(&owner, step).token;
    let session = session::touch(&world.app, &token.hash()).unwrap();
    assert_eq!(session.previous_login_at.unwrap().seconds().to_string(), activated_at);
    assert_eq!(session.failed_before, 2);
    assert_eq!(
        world.text("SELECT last_login_at > now() - '1 hour'::interval FROM account"),
        "true",
        "the next is told of it"
    );
}
