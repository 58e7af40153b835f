//! The journey from the first name to the deletion, by the operations as the components run them, over a connection of the
//! application's role: every function of the release that a request can call is called.

use domain::{Code, KeyRing, Password, PlainToken, Randomness, RandomnessUnavailable, UnixTime, Username};
use harness::{Authenticator, NativeDatabase};
use journey::account::deletion;
use journey::login::Login;
use journey::start::{NewAccount, NewCode, Renewal};
use journey::{Attempt, account, activate, enroll, health, login, reveal, session, start};

use crate::server::{Database, PASSWORD};

pub(crate) struct Random;

impl Randomness for Random {
    #[expect(clippy::disallowed_methods, reason = "a test draws where it runs")]
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        getrandom::fill(bytes).map_err(|_| RandomnessUnavailable)
    }
}

/// Somebody on the way.
struct Walk<'database> {
    owner: &'database Database,
    database: NativeDatabase,
    keys: KeyRing,
    username: Username,
}

/// What somebody has after a start was confirmed.
struct Credentials {
    password: Password,
    phone: Authenticator,
    session: PlainToken,
}

/// Starts, confirms, logs in, renews what has expired, looks, and leaves.
#[track_caller]
pub(crate) fn walk(database: &Database) {
    let application = database.application(PASSWORD).unwrap();
    let walk = Walk {
        owner: database,
        database: NativeDatabase::new(application),
        keys: KeyRing::parse("k1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=").unwrap(),
        username: Username::parse("somebody").unwrap(),
    };
    health::check(&walk.database, || walk.now()).unwrap();
    let first = walk.arrive();
    walk.forget_used_codes();
    let Login::Authenticated { session, .. } = walk.login(&first) else { panic!("the credentials are new") };
    let open = session::list(&walk.database, &session.token.hash()).unwrap();
    assert_eq!(open.len(), 2);
    let other = open.iter().find(|session| !session.is_current).unwrap();
    session::end_own(&walk.database, &session.token.hash(), other.session_id).unwrap();
    session::touch(&walk.database, &first.session.hash()).unwrap_err();
    session::end(&walk.database, &session.token.hash()).unwrap();

    let renewed = walk.renew(&first);
    let token = renewed.session.hash();
    assert_eq!(account::export(&walk.database, &token).unwrap().account.username, walk.username);
    walk.forget_used_codes();
    deletion::delete(&walk.database, &walk.keys, &token, &walk.attempt(&renewed)).unwrap();
    NewAccount::draw(walk.username.clone(), &mut Random).unwrap().create(&walk.database).unwrap_err();
    let recorded = "SELECT string_agg(concat_ws('/', kind, outcome), ' ' ORDER BY id)
        FROM (SELECT * FROM identity.event ORDER BY id DESC LIMIT 2) AS newest";
    assert_eq!(database.text(recorded), "delete/ok start/username_taken");
}

impl Walk<'_> {
    fn arrive(&self) -> Credentials {
        let new = NewAccount::draw(self.username.clone(), &mut Random).unwrap();
        new.create(&self.database).unwrap();
        let token = &new.draft.enrollment_token;
        let start = start::poll(&self.database, &token.hash()).unwrap();
        let again = NewCode::draw(&self.database, start, token, &self.username, &mut Random).unwrap();
        again.replace(&self.database).unwrap();
        self.confirm(&again.reveal_token, token)
    }

    fn confirm(&self, reveal_token: &PlainToken, enrollment_token: &PlainToken) -> Credentials {
        let (database, keys) = (&self.database, &self.keys);
        let new = reveal::make(database, keys, &mut Random, reveal_token).unwrap();
        new.commit(database).unwrap();
        let secret = enroll::make(database, keys, &mut Random, enrollment_token).unwrap();
        secret.commit(database).unwrap();
        let phone = Authenticator::scan(&secret.secret.otpauth_uri("COFRAP", &self.username));
        let attempt = self.typed(&new.password, &phone);
        let activated = activate::activate(database, keys, &mut Random, enrollment_token, &attempt).unwrap();
        Credentials { password: new.password, phone, session: activated.session.token }
    }

    fn renew(&self, expired: &Credentials) -> Credentials {
        self.as_superuser("UPDATE identity.credential SET expires_at = now() WHERE live");
        self.forget_used_codes();
        let Login::Expired { renewal_token } = self.login(expired) else { panic!("the credentials ended") };
        let renewal = Renewal::draw(&renewal_token, self.username.clone(), &mut Random).unwrap();
        renewal.begin(&self.database).unwrap();
        self.confirm(&renewal.draft.reveal_token, &renewal.draft.enrollment_token)
    }

    fn login(&self, credentials: &Credentials) -> Login {
        login::login(&self.database, &self.keys, &mut Random, &self.username, &self.attempt(credentials))
            .unwrap()
    }

    fn attempt(&self, credentials: &Credentials) -> Attempt {
        self.typed(&credentials.password, &credentials.phone)
    }

    fn typed(&self, password: &Password, phone: &Authenticator) -> Attempt {
        let now = self.now().seconds().try_into().unwrap();
        let code = Code::parse(&phone.code_at(now)).unwrap();
        Attempt { password: Password::typed(password.expose().to_owned()), code }
    }

    fn now(&self) -> UnixTime {
        let now = self.owner.text("SELECT floor(extract(epoch FROM now()))::bigint");
        UnixTime::from_seconds(now.parse().unwrap())
    }

    /// As if half a minute had passed, and more: a code is taken once.
    fn forget_used_codes(&self) {
        self.as_superuser("UPDATE identity.credential SET last_step = last_step - 1000 WHERE live");
    }

    fn as_superuser(&self, statement: &str) {
        let without_triggers = format!("SET session_replication_role = replica; {statement}");
        self.owner.superuser().batch_execute(&without_triggers).unwrap();
    }
}
