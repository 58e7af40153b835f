//! A database and the journey up to any step, by the operations themselves.

use domain::{AccountId, Code, KeyRing, Password, PlainToken, Step, UnixTime, Username};
use harness::seeded::Seeded;
use harness::{Authenticator, NativeDatabase, TestDatabase};
use journey::activate::{self, Activated};
use journey::functions::DEFINITIONS;
use journey::login::{self, Evidence, Login, Tickets};
use journey::session::{self, NewSession};
use journey::start::{self, NewAccount, NewCode, NewDraft, OpenStart, Renewal};
use journey::{Attempt, Database, Refusal, RightPassword, Stop, enroll, reveal};

/// What an operation came to, which was no fault.
#[track_caller]
pub(crate) fn decided<T>(result: Result<T, Stop>) -> Result<T, Refusal> {
    result.map_err(|stop| stop.refusal().unwrap_or_else(|| panic!("{stop:?}")))
}

/// A function of this release by its file, with its schema.
pub(crate) fn function(file: &str) -> String {
    let definition = DEFINITIONS.iter().find(|definition| definition.file == file).expect(file);
    format!("identity.{}", definition.name)
}

/// Whether a session is good, which is a use of it.
pub(crate) fn is_open(database: &impl Database, token: &PlainToken) -> bool {
    match decided(session::touch(database, &token.hash())) {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal, Refusal::SessionInvalid);
            false
        }
    }
}

/// Whether an enrollment token opens a start.
pub(crate) fn can_go_on(database: &impl Database, token: &PlainToken) -> bool {
    start::load(database, &token.hash()).unwrap().is_some()
}

pub(crate) fn tickets(seed: u64) -> Tickets {
    Tickets::draw(&mut Seeded::new(seed)).unwrap()
}

/// Whether the outcome is that a session is open.
pub(crate) const fn signs_in(outcome: &Result<Login, Refusal>) -> bool {
    matches!(outcome, Ok(Login::Authenticated { .. }))
}

/// Whether the outcome is that the right credentials have expired.
pub(crate) const fn has_expired(outcome: &Result<Login, Refusal>) -> bool {
    matches!(outcome, Ok(Login::Expired { .. }))
}

/// Whether the outcome is to wait.
pub(crate) const fn waits<T>(outcome: &Result<T, Refusal>) -> bool {
    matches!(outcome, Err(Refusal::Waiting(_)))
}

/// A fresh database, a connection of the application's role, and keys.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) app: NativeDatabase,
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
        let app = database.store();
        let keys = KeyRing::parse("k1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=").unwrap();
        Self { database, app, keys, randomness: Seeded::new(1) }
    }

    /// Runs a statement as the owner, to move rows through time or to look at them.
    pub(crate) fn sql(&self, statement: &str) {
        self.database.owner().batch_execute(statement).unwrap();
    }

    /// One text of the database, as the owner sees it.
    pub(crate) fn text(&self, query: &str) -> String {
        self.database.owner().query_one(&format!("SELECT ({query})::text"), &[]).unwrap().get(0)
    }

    /// The time by the database's clock.
    pub(crate) fn time(&self) -> UnixTime {
        UnixTime::from_seconds(self.database.now().try_into().unwrap())
    }

    pub(crate) fn events(&self, kind: &str, outcome: &str) -> i64 {
        let count = format!("SELECT count(*) FROM event WHERE kind = '{kind}' AND outcome = '{outcome}'");
        self.text(&count).parse().unwrap()
    }

    /// Lets others see what the application's connection has read.
    pub(crate) fn flush_statistics(&self) {
        self.app.query("SELECT pg_stat_force_next_flush()::text", &[]).unwrap();
        self.app.query("SELECT true", &[]).unwrap();
    }

    pub(crate) fn token(&mut self) -> PlainToken {
        PlainToken::generate(&mut self.randomness).unwrap()
    }

    pub(crate) fn new_account(&mut self, name: &str) -> NewAccount {
        NewAccount::draw(Username::parse(name).unwrap(), &mut self.randomness).unwrap()
    }

    /// Starts with a name, and says whether it was free.
    pub(crate) fn try_start(&mut self, name: &str) -> bool {
        match decided(self.new_account(name).create(&self.app)) {
            Ok(_) => true,
            Err(refusal) => {
                assert_eq!(refusal, Refusal::UsernameTaken);
                false
            }
        }
    }

    pub(crate) fn start(&mut self, name: &str) -> NewAccount {
        let account = self.new_account(name);
        account.create(&self.app).expect("the name is free");
        account
    }

    pub(crate) fn open(&self, enrollment_token: &PlainToken) -> OpenStart {
        start::load(&self.app, &enrollment_token.hash()).unwrap().expect("the start is open")
    }

    /// A new code for a start, not committed.
    pub(crate) fn new_code(&mut self, enrollment_token: &PlainToken) -> NewCode {
        let (start, reveal_token) = (self.open(enrollment_token), self.token());
        NewCode { start, enrollment_token: enrollment_token.hash(), reveal_token }
    }

    /// The password of a code, not committed.
    pub(crate) fn new_password(&mut self, reveal_token: &PlainToken) -> reveal::NewPassword {
        let hash = reveal_token.hash();
        let snapshot = reveal::load(&self.app, &hash).unwrap().expect("the code is known");
        reveal::new_password(snapshot, hash, &self.keys, &mut self.randomness).unwrap()
    }

    pub(crate) fn reveal(&mut self, reveal_token: &PlainToken) -> Password {
        let new = self.new_password(reveal_token);
        new.commit(&self.app).unwrap();
        new.password
    }

    /// The secret of a start, not committed.
    pub(crate) fn new_secret(&mut self, start: OpenStart) -> enroll::NewSecret {
        enroll::new_secret(start, &self.keys, &mut self.randomness).unwrap()
    }

    pub(crate) fn enroll(&mut self, enrollment_token: &PlainToken) -> Authenticator {
        let new = self.new_secret(self.open(enrollment_token));
        new.commit(&self.app).unwrap();
        Authenticator::scan(&new.secret.otpauth_uri("COFRAP", &new.start.username))
    }

    /// Reveals and enrolls: the start then waits for its activation.
    pub(crate) fn prepare(&mut self, draft: &NewDraft) -> OpenStart {
        self.reveal(&draft.reveal_token);
        self.enroll(&draft.enrollment_token);
        self.open(&draft.enrollment_token)
    }

    pub(crate) fn new_session(&mut self) -> NewSession {
        NewSession::draw(&mut self.randomness).unwrap()
    }

    /// Activates what was loaded as `start`, as if its password and a code of `step` had been checked.
    pub(crate) fn activate(&mut self, start: &OpenStart, step: Option<i64>) -> Result<Activated, Refusal> {
        let session = self.new_session();
        decided(activate(&self.app, start, step, session))
    }

    /// The whole way to an active account, secrets checked as the components do.
    pub(crate) fn owner(&mut self, name: &str) -> Owner {
        let account = self.start(name);
        let token = &account.draft.enrollment_token;
        let password = self.reveal(&account.draft.reveal_token).expose().to_owned();
        let phone = self.enroll(token);
        let attempt = self.attempt(&password, &phone);
        let World { app, keys, randomness, .. } = self;
        let activated = activate::activate(app, keys, randomness, token, &attempt).expect("all is right");
        Owner {
            account_id: account.account_id,
            username: account.username,
            password,
            phone,
            session: activated.session.token,
        }
    }

    /// A password, with the code that the phone shows now.
    pub(crate) fn attempt(&self, password: &str, phone: &Authenticator) -> Attempt {
        let code = phone.code_at(self.database.now());
        Attempt { password: Password::typed(password.to_owned()), code: Code::parse(&code).unwrap() }
    }

    /// What a login finds out about an attempt with these secrets.
    pub(crate) fn examine(&self, username: &Username, password: &str, phone: &Authenticator) -> Evidence {
        let snapshot = login::load(&self.app, username).unwrap();
        login::examine(&snapshot, &self.attempt(password, phone), &self.keys).unwrap()
    }

    /// The proof that its owner's password gives, with a step of one's choice.
    pub(crate) fn right_password(&self, owner: &Owner, step: Option<i64>) -> RightPassword {
        match self.examine(&owner.username, &owner.password, &owner.phone) {
            Evidence::RightPassword(proof) => RightPassword { step: step.map(Step::from_value), ..proof },
            Evidence::WrongPassword { .. } => panic!("the owner's password is right"),
        }
    }

    pub(crate) fn tickets(&mut self) -> Tickets {
        Tickets::draw(&mut self.randomness).unwrap()
    }

    pub(crate) fn login(&mut self, owner: &Owner, step: Option<i64>) -> Result<Login, Refusal> {
        let tickets = self.tickets();
        decided(login::commit(&self.app, &self.right_password(owner, step), tickets))
    }

    /// Logs in with a code of `step`, which must be good.
    pub(crate) fn sign_in(&mut self, owner: &Owner, step: i64) -> NewSession {
        match self.login(owner, Some(step)) {
            Ok(Login::Authenticated { session, .. }) => session,
            other => panic!("{other:?}"),
        }
    }

    /// Logs in with right credentials, which must have expired.
    pub(crate) fn renewal_token(&mut self, owner: &Owner) -> PlainToken {
        let step = self.next_step();
        match self.login(owner, Some(step)) {
            Ok(Login::Expired { renewal_token }) => renewal_token,
            other => panic!("{other:?}"),
        }
    }

    /// A start with credentials that must have expired, not committed.
    pub(crate) fn renewal(&mut self, owner: &Owner) -> Renewal {
        let token = self.renewal_token(owner);
        Renewal::draw(&token, owner.username.clone(), &mut self.randomness).unwrap()
    }

    /// Starts with credentials that must have expired.
    pub(crate) fn renew(&mut self, owner: &Owner) -> NewDraft {
        let renewal = self.renewal(owner);
        renewal.begin(&self.app).expect("the token is good");
        renewal.draft
    }

    /// A step that no code was accepted of yet.
    pub(crate) fn next_step(&self) -> i64 {
        self.text("SELECT coalesce(max(last_step), 0) + 1 FROM credential").parse().unwrap()
    }
}

/// Activates what was loaded as `start`, as if its password and a code of `step` had been checked.
pub(crate) fn activate(
    database: &impl Database,
    start: &OpenStart,
    step: Option<i64>,
    session: NewSession,
) -> Result<Activated, Stop> {
    let expires_at = domain::credential_expiry(start.now);
    activate::commit(database, start, step.map(Step::from_value), expires_at, session)
}
