//! What each step finds out and draws before its commit decides, as tables. No database; codes come from another TOTP
//! implementation than ours. A target of its own, so that `make mutants` needs no database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use domain::{
    AccountId, Code, CredentialId, KeyRing, OpenError, Password, PlainToken, SealedTotpSecret,
    SealedVerifier, Step, TotpSecret, UnixTime, Username, Verifier,
};
use harness::Authenticator;
use harness::seeded::{Absent, Seeded};
use journey::session::NewSession;
use journey::start::{NewAccount, NewCode, OpenStart, Progress, Renewal, Revision};
use journey::{Attempt, Database, Refusal, RightPassword, Row, StatementError, Stop, Value};
use journey::{activate, enroll, login, reveal};

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_015);

/// A database that takes every event and knows nothing else.
struct Recorder;

impl Database for Recorder {
    fn query(&self, statement: &str, _parameters: &[Value]) -> Result<Vec<Row>, StatementError> {
        assert_eq!(statement, journey::functions::REFUSAL_RECORD.statement());
        Ok(vec![Row::new(["recorded".to_owned()].into(), vec![Value::Boolean(true)])])
    }
}

struct Issued {
    keys: KeyRing,
    account_id: AccountId,
    credential_id: CredentialId,
    password: String,
    verifier: SealedVerifier,
    totp_secret: SealedTotpSecret,
    phone: Authenticator,
}

fn username() -> Username {
    Username::parse("alice").unwrap()
}

fn keys() -> KeyRing {
    KeyRing::parse("k1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=").unwrap()
}

fn issued() -> Issued {
    let (keys, randomness) = (keys(), &mut Seeded::new(1));
    let account_id = AccountId::random(randomness).unwrap();
    let credential_id = CredentialId::random(randomness).unwrap();
    let password = Password::generate(randomness).unwrap();
    let verifier = Verifier::new(&password, account_id, credential_id, randomness).unwrap();
    let secret = TotpSecret::generate(randomness).unwrap();
    Issued {
        password: password.expose().to_owned(),
        verifier: verifier.seal(&keys, account_id, credential_id, randomness).unwrap(),
        totp_secret: secret.seal(&keys, account_id, credential_id, randomness).unwrap(),
        phone: Authenticator::scan(&secret.otpauth_uri("COFRAP", &username())),
        keys,
        account_id,
        credential_id,
    }
}

impl Issued {
    fn code(&self, steps_from_now: i64) -> String {
        self.phone.code_at(NOW.plus_seconds(30 * steps_from_now).seconds().cast_unsigned())
    }

    fn start(self, progress: impl FnOnce(SealedVerifier, SealedTotpSecret) -> Progress) -> OpenStart {
        OpenStart {
            now: NOW,
            account_id: self.account_id,
            username: username(),
            credential_id: self.credential_id,
            revision: Revision(3),
            reveal_expires_at: NOW.plus_seconds(60),
            progress: progress(self.verifier, self.totp_secret),
        }
    }

    fn code_of(&self, is_revealed: bool, seconds_left: i64) -> reveal::Snapshot {
        reveal::Snapshot {
            now: NOW,
            account_id: self.account_id,
            username: username(),
            credential_id: self.credential_id,
            is_revealed,
            expires_at: NOW.plus_seconds(seconds_left),
        }
    }

    fn login_snapshot(self) -> login::Snapshot {
        login::Snapshot {
            now: NOW,
            account_id: Some(self.account_id),
            credential: Some(login::LiveCredential {
                account_id: self.account_id,
                credential_id: self.credential_id,
                verifier: self.verifier,
                totp_secret: self.totp_secret,
            }),
        }
    }
}

fn attempt(password: &str, code: &str) -> Attempt {
    Attempt { password: Password::typed(password.to_owned()), code: Code::parse(code).unwrap() }
}

fn unrevealed() -> OpenStart {
    issued().start(|_, _| Progress::Unrevealed)
}

fn revealed() -> OpenStart {
    issued().start(|verifier, _| Progress::Revealed { verifier })
}

fn enrolled() -> OpenStart {
    issued().start(|verifier, totp_secret| Progress::SecretIssued { verifier, totp_secret })
}

#[test]
fn every_start_draws_ids_and_tokens_of_its_own() {
    let randomness = &mut Seeded::new(7);
    let [first, second] = [(); 2].map(|()| NewAccount::draw(username(), randomness).unwrap());
    assert_ne!(first.account_id, second.account_id);
    assert_ne!(first.draft.credential_id, second.draft.credential_id);
    let renewal = Renewal::draw(&first.draft.reveal_token, username(), randomness).unwrap();
    assert_eq!(renewal.renewal_token, first.draft.reveal_token.hash());
    let enrollment_token = &first.draft.enrollment_token;
    let new_code = NewCode::draw(&Recorder, unrevealed(), enrollment_token, &username(), randomness).unwrap();
    assert_eq!(new_code.enrollment_token, enrollment_token.hash());
    let tokens = [
        &first.draft.reveal_token,
        &first.draft.enrollment_token,
        &second.draft.reveal_token,
        &second.draft.enrollment_token,
        &renewal.draft.reveal_token,
        &renewal.draft.enrollment_token,
        &new_code.reveal_token,
    ];
    for (position, token) in tokens.iter().enumerate() {
        assert!(tokens[..position].iter().all(|other| other.hash() != token.hash()), "token {position}");
    }
}

#[test]
fn without_randomness_no_step_begins() {
    let token = PlainToken::generate(&mut Seeded::new(1)).unwrap();
    assert!(NewAccount::draw(username(), &mut Absent).is_err());
    let new_code = NewCode::draw(&Recorder, unrevealed(), &token, &username(), &mut Absent);
    assert!(matches!(new_code, Err(Stop::Fault(journey::Error::NoRandomness(_)))), "{new_code:?}");
    assert!(Renewal::draw(&token, username(), &mut Absent).is_err());
    assert!(NewSession::draw(&mut Absent).is_err());
    assert!(login::Tickets::draw(&mut Absent).is_err());
    let code = issued().code_of(false, 60);
    assert!(reveal::new_password(code, token.hash(), &keys(), &mut Absent).is_err());
    assert!(enroll::new_secret(revealed(), &keys(), &mut Absent).is_err());
}

#[test]
fn an_enrollment_token_is_good_for_its_own_name_only() {
    let randomness = &mut Seeded::new(1);
    let token = PlainToken::generate(randomness).unwrap();
    let mut draw = |name: &Username| {
        NewCode::draw(&Recorder, unrevealed(), &token, name, randomness).map_err(|stop| stop.refusal())
    };
    assert!(draw(&username()).is_ok());
    assert_eq!(draw(&Username::parse("bob").unwrap()).unwrap_err(), Some(Refusal::TokenInvalid));
}

#[test]
fn a_code_gives_a_password_once_and_in_time() {
    let issued = issued();
    for (is_revealed, seconds_left, expected) in [
        (false, 1, None),
        (false, 0, Some(Refusal::TokenExpired)),
        (false, -1, Some(Refusal::TokenExpired)),
        (true, 1, Some(Refusal::TokenUsed)),
        (true, -1, Some(Refusal::TokenUsed)),
    ] {
        assert_eq!(reveal::judge(&issued.code_of(is_revealed, seconds_left)), expected);
    }
}

#[test]
fn a_new_password_is_the_one_that_its_verifier_knows() {
    let issued = issued();
    let randomness = &mut Seeded::new(2);
    let token = PlainToken::generate(randomness).unwrap().hash();
    let new = reveal::new_password(issued.code_of(false, 60), token, &issued.keys, randomness).unwrap();
    let verifier = new.verifier().open(&issued.keys, issued.account_id, issued.credential_id).unwrap();
    assert!(verifier.matches(&new.password, issued.account_id, issued.credential_id));
    assert_ne!(new.password.expose(), issued.password);
}

#[test]
fn a_second_factor_follows_the_reveal_and_may_be_asked_for_again() {
    assert!(!unrevealed().is_revealed());
    for start in [revealed(), enrolled()] {
        assert!(start.is_revealed());
    }
}

#[test]
fn a_new_secret_opens_to_what_was_shown() {
    let new = enroll::new_secret(revealed(), &keys(), &mut Seeded::new(2)).unwrap();
    let opened = new.sealed().open(&keys(), new.start.account_id, new.start.credential_id).unwrap();
    assert_eq!(*opened.to_base32(), *new.secret.to_base32());
}

#[test]
fn an_activation_needs_every_step_before_it() {
    let attempt = attempt("whatever", "000000");
    for (start, refusal) in
        [(unrevealed(), Refusal::PasswordNotRevealed), (revealed(), Refusal::TotpNotStarted)]
    {
        let evidence = activate::examine(&start, &attempt, &keys());
        assert_eq!(evidence, Ok(activate::Evidence::Refused(refusal)));
    }
}

#[test]
fn an_activation_says_which_part_was_proved() {
    let right = issued();
    let step = Step::at(NOW);
    let expires_at = domain::credential_expiry(NOW);
    let proof = |step| activate::Evidence::RightPassword { step, expires_at };
    let wrong = activate::Evidence::Refused(Refusal::WrongPassword);
    let table = [
        (right.password.clone(), right.code(0), proof(Some(step))),
        (right.password.clone(), right.code(-1), proof(Some(Step::from_value(step.value() - 1)))),
        (right.password.clone(), right.code(1), proof(Some(Step::from_value(step.value() + 1)))),
        (right.password.clone(), right.code(-2), proof(None)),
        (right.password.clone(), right.code(2), proof(None)),
        (right.password[..23].to_owned(), right.code(0), wrong),
        (String::new(), right.code(0), wrong),
    ];
    for (password, code, expected) in table {
        assert_eq!(activate::examine(&enrolled(), &attempt(&password, &code), &keys()), Ok(expected));
    }
}

#[test]
fn a_login_says_which_part_was_proved_and_the_code_only_with_the_password() {
    let right = issued();
    let (account_id, credential_id) = (right.account_id, right.credential_id);
    let proof = |step| login::Evidence::RightPassword(RightPassword { account_id, credential_id, step });
    let wrong = login::Evidence::WrongPassword { account_id: Some(account_id) };
    let upside_down = right.password.chars().rev().collect::<String>();
    let table = [
        (right.password.clone(), right.code(0), proof(Some(Step::at(NOW)))),
        (right.password.clone(), right.code(3), proof(None)),
        (format!("{} ", right.password), right.code(0), wrong),
        (format!("{}\0", right.password), right.code(0), wrong),
        (upside_down, right.code(0), wrong),
        ("x".to_owned(), right.code(3), wrong),
    ];
    let snapshot = right.login_snapshot();
    for (password, code, expected) in table {
        assert_eq!(login::examine(&snapshot, &attempt(&password, &code), &keys()), Ok(expected));
    }
}

#[test]
fn a_name_without_credentials_proves_nothing_whatever_is_typed() {
    let right = issued();
    for account_id in [None, Some(right.account_id)] {
        let snapshot = login::Snapshot { now: NOW, account_id, credential: None };
        let evidence = login::examine(&snapshot, &attempt(&right.password, &right.code(0)), &right.keys);
        assert_eq!(evidence, Ok(login::Evidence::WrongPassword { account_id }));
    }
}

#[test]
fn secrets_that_were_sealed_for_another_account_are_a_fault_and_no_wrong_password() {
    let right = issued();
    let typed = attempt(&right.password, &right.code(0));
    let mut snapshot = right.login_snapshot();
    let victim = AccountId::random(&mut Seeded::new(9)).unwrap();
    snapshot.credential.as_mut().unwrap().account_id = victim;
    let unreadable = login::examine(&snapshot, &typed, &keys()).unwrap_err();
    assert_eq!(unreadable.why, OpenError::Forged);
    let credential_id = unreadable.place.credential;
    let told =
        format!("credential {credential_id}: verifier is a sealed value that was changed or moved here");
    assert_eq!(unreadable.to_string(), told);
}
