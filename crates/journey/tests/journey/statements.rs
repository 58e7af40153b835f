//! How many statements an operation sends, each of which costs a round trip, and how many PostgreSQL runs for them: one for
//! each call of an entry, one for each call of a helper, one for each trigger that looks something up.

use domain::{Code, KeyRing, Password, Username};
use harness::NativeDatabase;
use harness::seeded::Seeded;
use journey::account::{self, deletion};
use journey::start::{self, NewAccount, NewCode};
use journey::{Attempt, Refusal, Stop, activate, enroll, health, login, reveal, session};

use crate::world::{Owner, World, decided};

/// A world whose statements are counted, nested ones too.
struct Counting(World);

impl Counting {
    fn new() -> Self {
        let mut world = World::new();
        world.database.track_nested();
        world.app = world.database.store();
        Self(world)
    }

    /// Holds how many statements an operation sends, and how many are run for them, against what it should take.
    #[track_caller]
    fn takes<T>(
        &mut self,
        sent_and_run: (i64, i64),
        operation: impl FnOnce(&NativeDatabase, &KeyRing, &mut Seeded) -> Result<T, Stop>,
    ) -> Result<T, Refusal> {
        let World { database, app, keys, randomness } = &mut self.0;
        let ((result, run), sent) =
            database.count_statements(|| database.count_nested(|| operation(app, keys, randomness)));
        assert_eq!((sent, run), sent_and_run);
        decided(result)
    }

    /// The owner's password, or a wrong one, with a right code that was not used, or with a wrong one.
    fn attempt(&self, owner: &Owner, has_password: bool, has_code: bool) -> Attempt {
        let database = &self.0.database;
        database.time_travel().forget_used_steps(owner.username.as_str());
        let password = if has_password { owner.password.clone() } else { "wrong".to_owned() };
        let now = database.now();
        let code = if has_code { owner.phone.code_at(now) } else { owner.phone.wrong_code_at(now) };
        Attempt { password: Password::typed(password), code: Code::parse(&code).unwrap() }
    }
}

#[test]
fn the_way_to_an_account_takes_two_statements_a_step_at_the_most() {
    let mut counting = Counting::new();
    let now = counting.0.time();
    counting.takes((1, 1), |app, _, _| Ok(health::check(app, || now)?)).unwrap();
    let new = counting.0.new_account("alice");
    let again = NewAccount { username: new.username.clone(), ..counting.0.new_account("again") };
    // Both it and its trigger look for a reservation of the name; where the name is taken the trigger has nothing to do.
    counting.takes((1, 2), |app, _, _| new.create(app)).unwrap();
    counting.takes((1, 1), |app, _, _| again.create(app)).unwrap_err();
    let token = new.draft.enrollment_token;
    let start = counting.takes((1, 1), |app, _, _| start::poll(app, &token.hash())).unwrap();
    let code = counting
        .takes((1, 1), |app, _, randomness| {
            let code = NewCode::draw(app, start, &token, &new.username, randomness)?;
            code.replace(app).map(|_| code.reveal_token)
        })
        .unwrap();
    let password = counting
        .takes((2, 2), |app, keys, randomness| {
            let new = reveal::make(app, keys, randomness, &code)?;
            new.commit(app).map(|()| new.password)
        })
        .unwrap();
    counting
        .takes((2, 2), |app, keys, randomness| reveal::make(app, keys, randomness, &code))
        .expect_err("it was used");
    let secret = counting
        .takes((2, 2), |app, keys, randomness| {
            let new = enroll::make(app, keys, randomness, &token)?;
            new.commit(app).map(|()| new.secret)
        })
        .unwrap();
    let phone = harness::Authenticator::scan(&secret.otpauth_uri("COFRAP", &new.username));
    let now = counting.0.database.now();
    for (code, run) in [(phone.wrong_code_at(now), 2), (phone.code_at(now), 3)] {
        let code = Code::parse(&code).unwrap();
        let attempt = Attempt { password: Password::typed(password.expose().to_owned()), code };
        let activated = counting.takes((2, run), |app, keys, randomness| {
            activate::activate(app, keys, randomness, &token, &attempt)
        });
        // Only who gets in is told of refused logins.
        assert_eq!(activated.is_ok(), run == 3, "{activated:?}");
    }
}

#[test]
fn a_login_takes_two_statements_and_one_more_for_who_gets_in() {
    let mut counting = Counting::new();
    let owner = counting.0.owner("alice");
    let login = |counting: &mut Counting, run: i64, username: &Username, attempt: &Attempt| {
        counting
            .takes((2, run), |app, keys, randomness| login::login(app, keys, randomness, username, attempt))
    };
    let nobody = Username::parse("nobody").unwrap();
    let [right, wrong_password, wrong_code] = [(true, true), (false, true), (true, false)]
        .map(|(has_password, has_code)| counting.attempt(&owner, has_password, has_code));
    let refused = [
        (&nobody, &right, Refusal::WrongPassword),
        (&owner.username, &wrong_password, Refusal::WrongPassword),
        (&owner.username, &wrong_code, Refusal::WrongCode),
    ];
    for (username, attempt, refusal) in refused {
        assert_eq!(login(&mut counting, 2, username, attempt).unwrap_err(), refusal);
    }
    login(&mut counting, 3, &owner.username, &right).unwrap();
    let used = login(&mut counting, 2, &owner.username, &right).unwrap_err();
    assert_eq!(used, Refusal::ReusedCode);
    counting.0.sql("UPDATE credential SET expires_at = now()");
    let right = counting.attempt(&owner, true, true);
    login(&mut counting, 2, &owner.username, &right).unwrap();
    let renewal = counting.0.renewal(&owner);
    counting.takes((1, 1), |app, _, _| renewal.begin(app)).unwrap();
}

#[test]
fn a_session_takes_one_statement_for_each_thing_that_it_is_good_for() {
    let mut counting = Counting::new();
    let owner = counting.0.owner("alice");
    let token = owner.session.hash();
    let step = counting.0.next_step();
    let other = counting.0.sign_in(&owner, step);
    counting.takes((1, 1), |app, _, _| session::touch(app, &token)).unwrap();
    counting.takes((1, 1), |app, _, _| session::list(app, &token)).unwrap();
    counting.takes((1, 1), |app, _, _| session::end_own(app, &token, other.session_id)).unwrap();
    counting.takes((1, 1), |app, _, _| session::end_own(app, &token, other.session_id)).unwrap_err();
    counting.takes((3, 3), |app, _, _| account::export(app, &token)).unwrap();
    let wrong = counting.attempt(&owner, false, true);
    counting.takes((2, 2), |app, keys, _| deletion::delete(app, keys, &token, &wrong)).unwrap_err();
    // The refusal takes a statement of its own.
    counting.takes((2, 2), |app, _, _| session::touch(app, &other.token.hash())).unwrap_err();
    counting.takes((2, 2), |app, _, _| session::end(app, &other.token.hash())).unwrap_err();
    let step = counting.0.next_step();
    let last = counting.0.sign_in(&owner, step).token.hash();
    counting.takes((1, 1), |app, _, _| session::end(app, &token)).unwrap();
    // Its trigger forgets a reservation of the name that has ended.
    let right = counting.attempt(&owner, true, true);
    counting.takes((2, 3), |app, keys, _| deletion::delete(app, keys, &last, &right)).unwrap();
}
