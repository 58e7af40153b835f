//! A database and the journey up to any step, by the store's own functions.

use domain::journey::login::{Evidence, Outcome};
use domain::journey::session::NewSession;
use domain::journey::start::NewAccount;
use domain::journey::{Attempt, OpenStart, activate, enroll, login, reveal, start};
use domain::{
    AccountId, Code, KeyRing, Password, PlainToken, Randomness, RandomnessUnavailable, Step, UnixTime,
    Username,
};
use harness::{Authenticator, NativeDatabase, TestDatabase};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use store::login::{RightPassword, Tickets};

pub(crate) struct Seeded(ChaCha20Rng);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }
}

impl Randomness for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

/// A fresh database, a connection of the application's role, and keys.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) store: NativeDatabase,
    pub(crate) keys: KeyRing,
    pub(crate) randomness: Seeded,
}

/// What its owner knows of an active account.
pub(crate) struct Owner {
    pub(crate) account_id: AccountId,
    pub(crate) username: Username,
    pub(crate) password: String,
    pub(crate) phone: Authenticator,
    pub(crate) session: PlainToken,
}

impl World {
    pub(crate) fn new() -> Self {
        let database = TestDatabase::fresh();
        let store = database.store();
        let keys = KeyRing::parse("k1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=").unwrap();
        Self { database, store, keys, randomness: Seeded::new(1) }
    }

    /// Runs a statement as the owner, to move rows through time or to look at them.
    pub(crate) fn sql(&self, statement: &str) {
        self.database.owner().batch_execute(statement).unwrap();
    }

    /// One text of the database, as the owner sees it.
    pub(crate) fn text(&self, query: &str) -> String {
        self.database.owner().query_one(&format!("SELECT ({query})::text"), &[]).unwrap().get(0)
    }

    pub(crate) fn events(&self, kind: &str, outcome: &str) -> i64 {
        let count = format!("SELECT count(*) FROM event WHERE kind = '{kind}' AND outcome = '{outcome}'");
        self.text(&count).parse().unwrap()
    }

    pub(crate) fn new_account(&mut self, name: &str) -> NewAccount {
        start::decide(Username::parse(name).unwrap(), &mut self.randomness).unwrap()
    }

    pub(crate) fn start(&mut self, name: &str) -> NewAccount {
        let account = self.new_account(name);
        store::start::create_account(&self.store, &account).unwrap().expect("the name is free");
        account
    }

    pub(crate) fn open(&self, enrollment_token: &PlainToken) -> OpenStart {
        store::start::load(&self.store, &enrollment_token.hash()).unwrap().expect("the start is open")
    }

    pub(crate) fn reveal(&mut self, reveal_token: &PlainToken) -> Password {
        let (outcome, password) = self.try_reveal(reveal_token);
        assert_eq!(outcome, reveal::Outcome::Revealed);
        password
    }

    pub(crate) fn try_reveal(&mut self, reveal_token: &PlainToken) -> (reveal::Outcome, Password) {
        let snapshot =
            store::reveal::load(&self.store, &reveal_token.hash()).unwrap().expect("the code is known");
        let new = reveal::make_password(&snapshot, &self.keys, &mut self.randomness).unwrap();
        let outcome = store::reveal::commit(&self.store, &snapshot, &reveal_token.hash(), &new).unwrap();
        (outcome, new.password)
    }

    pub(crate) fn enroll(&mut self, enrollment_token: &PlainToken) -> Authenticator {
        let start = self.open(enrollment_token);
        let new = enroll::make_secret(&start, &self.keys, &mut self.randomness).unwrap();
        let outcome = store::enroll::commit(&self.store, &start, &new).unwrap();
        assert_eq!(outcome, enroll::Outcome::Issued);
        Authenticator::scan(&new.secret.otpauth_uri("COFRAP", &start.username))
    }

    pub(crate) fn new_session(&mut self) -> NewSession {
        NewSession::draw(&mut self.randomness).unwrap()
    }

    /// Activates what was loaded as `start`, as if its password and a code of `step` had been checked.
    pub(crate) fn activate(
        &mut self,
        start: &OpenStart,
        step: Option<i64>,
    ) -> (activate::Outcome, NewSession) {
        let session = self.new_session();
        let expires_at = domain::credential_expiry(start.now);
        let step = step.map(Step::from_value);
        let outcome = store::activate::commit(&self.store, start, step, expires_at, &session).unwrap();
        (outcome, session)
    }

    /// The whole way to an active account, secrets checked as the components do.
    pub(crate) fn owner(&mut self, name: &str) -> Owner {
        let account = self.start(name);
        let token = &account.draft.enrollment_token;
        let password = self.reveal(&account.draft.reveal_token).expose().to_owned();
        let phone = self.enroll(token);
        let start = self.open(token);
        let evidence = activate::examine(&start, &attempt(&password, &phone, start.now), &self.keys).unwrap();
        let activate::Evidence::RightPassword { step: Some(step), .. } = evidence else {
            panic!("right password and code, yet {evidence:?}");
        };
        let (outcome, session) = self.activate(&start, Some(step.value()));
        assert!(matches!(outcome, activate::Outcome::Activated { .. }), "{outcome:?}");
        Owner {
            account_id: account.account_id,
            username: account.username,
            password,
            phone,
            session: session.token,
        }
    }

    /// What a login finds out about an attempt with these secrets.
    pub(crate) fn examine(&self, username: &Username, password: &str, phone: &Authenticator) -> Evidence {
        let snapshot = store::login::load(&self.store, username).unwrap();
        login::examine(&snapshot, &attempt(password, phone, snapshot.now), &self.keys).unwrap()
    }

    /// The proof that its owner's password gives, with a step of one's choice.
    pub(crate) fn right_password(&self, owner: &Owner, step: Option<i64>) -> RightPassword {
        match self.examine(&owner.username, &owner.password, &owner.phone) {
            Evidence::RightPassword { account_id, credential_id, .. } => {
                RightPassword { account_id, credential_id, step: step.map(Step::from_value) }
            }
            Evidence::WrongPassword { .. } => panic!("the owner's password is right"),
        }
    }

    pub(crate) fn tickets(&mut self) -> Tickets {
        Tickets {
            session: self.new_session(),
            renewal_token: PlainToken::generate(&mut self.randomness).unwrap(),
        }
    }

    pub(crate) fn login(&mut self, owner: &Owner, step: Option<i64>) -> (Outcome, Tickets) {
        let tickets = self.tickets();
        let proof = self.right_password(owner, step);
        (store::login::commit(&self.store, &proof, &tickets).unwrap(), tickets)
    }

    /// A step that no code was accepted of yet.
    pub(crate) fn next_step(&self) -> i64 {
        self.text("SELECT coalesce(max(last_step), 0) + 1 FROM credential").parse().unwrap()
    }
}

fn attempt(password: &str, phone: &Authenticator, now: UnixTime) -> Attempt {
    let code = phone.code_at(now.seconds().try_into().unwrap());
    Attempt { password: Password::typed(password.to_owned()), code: Code::parse(&code).unwrap() }
}
