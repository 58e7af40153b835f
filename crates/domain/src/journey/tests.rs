//! Each step's decision, as tables; codes come from another TOTP implementation than ours.

use totp_rs::Totp;

use super::*;
use crate::seeded::{Absent, Seeded};
use crate::{Code, Password, Step, TotpSecret, Verifier};

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_015);

struct Issued {
    keys: KeyRing,
    account_id: AccountId,
    credential_id: CredentialId,
    password: String,
    verifier: SealedVerifier,
    totp_secret: SealedTotpSecret,
    phone: Totp,
}

fn username() -> Username {
    Username::parse("alice").unwrap()
}

fn issued() -> Issued {
    let randomness = &mut Seeded::new(1);
    let keys = KeyRing::parse("k1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=").unwrap();
    let account_id = AccountId::random(randomness).unwrap();
    let credential_id = CredentialId::random(randomness).unwrap();
    let password = Password::generate(randomness).unwrap();
    let verifier = Verifier::new(&password, account_id, credential_id, randomness).unwrap();
    let secret = TotpSecret::generate(randomness).unwrap();
    Issued {
        password: password.expose().to_owned(),
        verifier: verifier.seal(&keys, account_id, credential_id, randomness).unwrap(),
        totp_secret: secret.seal(&keys, account_id, credential_id, randomness).unwrap(),
        phone: Totp::from_url(&*secret.otpauth_uri("COFRAP", &username())).unwrap(),
        keys,
        account_id,
        credential_id,
    }
}

impl Issued {
    fn code(&self, steps_from_now: i64) -> String {
        let seconds = NOW.plus_seconds(30 * steps_from_now).seconds();
        self.phone.generate(seconds.cast_unsigned()).to_string()
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
}

fn attempt(password: &str, code: &str) -> Attempt {
    Attempt { password: Password::typed(password.to_owned()), code: Code::parse(code).unwrap() }
}

#[test]
fn every_start_draws_ids_and_tokens_of_its_own() {
    let randomness = &mut Seeded::new(7);
    let first = start::decide(username(), randomness).unwrap();
    let second = start::decide(username(), randomness).unwrap();
    assert_ne!(first.account_id, second.account_id);
    assert_ne!(first.draft.credential_id, second.draft.credential_id);
    let renewal = renew::decide(&first.draft.reveal_token, username(), randomness).unwrap();
    assert_eq!(renewal.renewal_token, first.draft.reveal_token.hash());
    let new_code = start::new_code(randomness).unwrap();
    let tokens = [
        &first.draft.reveal_token,
        &first.draft.enrollment_token,
        &second.draft.reveal_token,
        &second.draft.enrollment_token,
        &renewal.draft.reveal_token,
        &renewal.draft.enrollment_token,
        &new_code,
    ];
    for (position, token) in tokens.iter().enumerate() {
        assert!(tokens[..position].iter().all(|other| other.hash() != token.hash()), "token {position}");
    }
}

#[test]
fn without_randomness_no_step_begins() {
    let issued = issued();
    let keys = KeyRing::parse("k1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=").unwrap();
    let token = PlainToken::generate(&mut Seeded::new(1)).unwrap();
    assert!(start::decide(username(), &mut Absent).is_err());
    assert!(start::new_code(&mut Absent).is_err());
    assert!(renew::decide(&token, username(), &mut Absent).is_err());
    assert!(session::NewSession::draw(&mut Absent).is_err());
    assert!(reveal::make_password(&code_of(&issued, false, 60), &keys, &mut Absent).is_err());
    let start = issued.start(|verifier, _| Progress::Revealed { verifier });
    assert!(enroll::make_secret(&start, &keys, &mut Absent).is_err());
}

#[test]
fn an_enrollment_token_is_good_for_its_own_name_only() {
    let start = issued().start(|_, _| Progress::Unrevealed);
    assert_eq!(start::check_owner(&start, &username()), Ok(()));
    let other = Username::parse("bob").unwrap();
    assert_eq!(start::check_owner(&start, &other), Err(start::OtherAccount));
}

fn code_of(issued: &Issued, is_revealed: bool, seconds_left: i64) -> reveal::RevealSnapshot {
    reveal::RevealSnapshot {
        now: NOW,
        account_id: issued.account_id,
        username: username(),
        credential_id: issued.credential_id,
        is_revealed,
        expires_at: NOW.plus_seconds(seconds_left),
    }
}

#[test]
fn a_code_gives_a_password_once_and_in_time() {
    let issued = issued();
    for (is_revealed, seconds_left, expected) in [
        (false, 1, Ok(())),
        (false, 0, Err(reveal::Refusal::Expired)),
        (false, -1, Err(reveal::Refusal::Expired)),
        (true, 1, Err(reveal::Refusal::Used)),
        (true, -1, Err(reveal::Refusal::Used)),
    ] {
        assert_eq!(reveal::decide(&code_of(&issued, is_revealed, seconds_left)), expected);
    }
}

#[test]
fn a_new_password_is_the_one_that_its_verifier_knows() {
    let issued = issued();
    let snapshot = code_of(&issued, false, 60);
    let new = reveal::make_password(&snapshot, &issued.keys, &mut Seeded::new(2)).unwrap();
    let verifier = new.verifier.open(&issued.keys, issued.account_id, issued.credential_id).unwrap();
    assert!(verifier.matches(&new.password, issued.account_id, issued.credential_id));
    assert_ne!(new.password.expose(), issued.password);
}

#[test]
fn a_second_factor_follows_the_reveal_and_may_be_asked_for_again() {
    let unrevealed = issued().start(|_, _| Progress::Unrevealed);
    assert_eq!(enroll::decide(&unrevealed), Err(enroll::PasswordNotRevealed));
    assert!(!unrevealed.is_revealed());
    let revealed = issued().start(|verifier, _| Progress::Revealed { verifier });
    let again = issued().start(|verifier, totp_secret| Progress::SecretIssued { verifier, totp_secret });
    for start in [revealed, again] {
        assert_eq!(enroll::decide(&start), Ok(()));
        assert!(start.is_revealed());
    }
}

#[test]
fn a_new_secret_opens_to_what_was_shown() {
    let keys = issued().keys;
    let start = issued().start(|verifier, _| Progress::Revealed { verifier });
    let new = enroll::make_secret(&start, &keys, &mut Seeded::new(2)).unwrap();
    let opened = new.sealed.open(&keys, start.account_id, start.credential_id).unwrap();
    assert_eq!(*opened.to_base32(), *new.secret.to_base32());
}

#[test]
fn an_activation_needs_every_step_before_it() {
    let keys = issued().keys;
    let attempt = attempt("whatever", "000000");
    let unrevealed = issued().start(|_, _| Progress::Unrevealed);
    assert_eq!(activate::examine(&unrevealed, &attempt, &keys), Ok(activate::Evidence::PasswordNotRevealed));
    let revealed = issued().start(|verifier, _| Progress::Revealed { verifier });
    assert_eq!(activate::examine(&revealed, &attempt, &keys), Ok(activate::Evidence::TotpNotStarted));
}

#[test]
fn an_activation_says_which_part_was_proved() {
    let right = issued();
    let step = Step::at(NOW);
    let expires_at = crate::credential_expiry(NOW);
    let proof = |step| activate::Evidence::RightPassword { step, expires_at };
    let table = [
        (right.password.clone(), right.code(0), proof(Some(step))),
        (right.password.clone(), right.code(-1), proof(Some(Step::from_value(step.value() - 1)))),
        (right.password.clone(), right.code(1), proof(Some(Step::from_value(step.value() + 1)))),
        (right.password.clone(), right.code(-2), proof(None)),
        (right.password.clone(), right.code(2), proof(None)),
        (right.password[..23].to_owned(), right.code(0), activate::Evidence::WrongPassword),
        (String::new(), right.code(0), activate::Evidence::WrongPassword),
    ];
    let keys = issued().keys;
    let start = right.start(|verifier, totp_secret| Progress::SecretIssued { verifier, totp_secret });
    for (password, code, expected) in table {
        assert_eq!(activate::examine(&start, &attempt(&password, &code), &keys), Ok(expected));
    }
}

fn login_snapshot(issued: Issued) -> login::LoginSnapshot {
    login::LoginSnapshot {
        now: NOW,
        account_id: Some(issued.account_id),
        credential: Some(login::LiveCredential {
            account_id: issued.account_id,
            credential_id: issued.credential_id,
            verifier: issued.verifier,
            totp_secret: issued.totp_secret,
        }),
    }
}

#[test]
fn a_login_says_which_part_was_proved_and_the_code_only_with_the_password() {
    let right = issued();
    let (account_id, credential_id) = (right.account_id, right.credential_id);
    let proof = |step| login::Evidence::RightPassword { account_id, credential_id, step };
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
    let keys = issued().keys;
    let snapshot = login_snapshot(right);
    for (password, code, expected) in table {
        assert_eq!(login::examine(&snapshot, &attempt(&password, &code), &keys), Ok(expected));
    }
}

#[test]
fn a_name_without_credentials_proves_nothing_whatever_is_typed() {
    let right = issued();
    for account_id in [None, Some(right.account_id)] {
        let snapshot = login::LoginSnapshot { now: NOW, account_id, credential: None };
        let evidence = login::examine(&snapshot, &attempt(&right.password, &right.code(0)), &right.keys);
        assert_eq!(evidence, Ok(login::Evidence::WrongPassword { account_id }));
    }
}

#[test]
fn secrets_that_were_sealed_for_another_account_are_a_fault_and_no_wrong_password() {
    let right = issued();
    let typed = attempt(&right.password, &right.code(0));
    let keys = issued().keys;
    let mut snapshot = login_snapshot(right);
    let victim = AccountId::random(&mut Seeded::new(9)).unwrap();
    snapshot.credential.as_mut().unwrap().account_id = victim;
    let unreadable = login::examine(&snapshot, &typed, &keys).unwrap_err();
    assert_eq!(unreadable.why, crate::OpenError::Forged);
    let credential_id = unreadable.place.credential;
    let told =
        format!("credential {credential_id}: verifier is a sealed value that was changed or moved here");
    assert_eq!(unreadable.to_string(), told);
}
