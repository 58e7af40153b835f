//! A small model of the journey (design section 3): what each call has to be answered, and where it leads. It knows one
//! name, and everything that was ever handed out for it.

use std::collections::BTreeMap;

use harness::rows::{Standing, StartStanding};

/// An answer as the model sees it: the status and, of a refusal, the code.
pub type Verdict = (u16, &'static str);

/// A call about the name, with everything that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `POST /api/password`, with this Bearer or without one.
    Start(Option<String>),
    /// `GET /api/password`
    Poll(String),
    /// `POST /api/password/reveal`
    Reveal(String),
    /// `POST /api/totp`
    Enroll(String),
    /// `POST /api/totp/confirm`
    Confirm(String, Attempt),
    /// `POST /api/login`
    Login(Attempt),
    /// `GET /api/session`
    Look(String),
    /// `GET /api/sessions`
    List(String),
    /// `GET /api/account`
    Show(String),
    /// `DELETE /api/session`
    Leave(String),
    /// `DELETE /api/sessions/{id}`: with the first session, of the second.
    End(String, String),
    /// `DELETE /api/account`
    Delete(String, Attempt),
}

/// A password, and a code of a phone: known by its secret, empty for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// As typed.
    pub password: String,
    /// The secret that the code was computed from; empty for a code of no phone.
    pub secret: String,
    /// Whether the code was used for the login or activation before.
    pub is_used: bool,
}

/// What a call that was accepted brought.
#[derive(Debug, Clone, Default)]
pub struct Gain {
    /// From a start.
    pub enrollment: String,
    /// From a start.
    pub reveal: String,
    /// From a reveal.
    pub password: String,
    /// From an enrollment.
    pub secret: String,
    /// From an activation or a login.
    pub session: String,
    /// From a login with expired credentials.
    pub renewal: String,
}

/// What happens without a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Ten minutes pass for the code.
    RevealEnds,
    /// Fifteen minutes pass for the start.
    StartEnds,
    /// Six months pass.
    CredentialsEnd,
    /// The wait after wrong codes passes.
    WaitEnds,
    /// Fifteen minutes pass for renewal tokens.
    RenewalTokensEnd,
    /// An hour passes for the sessions.
    SessionsEnd,
    /// An operator suspends the account.
    Suspend,
    /// An operator releases it.
    Release,
    /// 99 wrong codes were typed, and the wait is over.
    ManyWrongCodes,
    /// 19 wrong codes were typed at the activation, and the wait is over.
    ManyWrongCodesAtTheStart,
    /// The codes that were used are minutes old.
    CodesPass,
    /// An operator removes the account.
    Remove,
    /// Twelve months pass after the owner deleted it.
    ReservationEnds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Pending,
    Active,
    Expired,
    Suspended,
}

#[derive(Debug, Clone)]
struct Start {
    enrollment: String,
    reveal: String,
    reveal_is_over: bool,
    is_over: bool,
    password: Option<String>,
    secret: Option<String>,
    wrong_codes: i64,
    is_waiting: bool,
}

#[derive(Debug, Clone)]
struct Live {
    password: String,
    secret: String,
    reveal: String,
    is_over: bool,
    has_used_code: bool,
}

#[derive(Debug, Clone)]
struct Account {
    state: State,
    start: Option<Start>,
    live: Option<Live>,
    /// Whether each of them has ended by time.
    sessions: BTreeMap<String, bool>,
    renewal_tokens: BTreeMap<String, bool>,
    wrong_codes: i64,
    is_waiting: bool,
}

/// The name, as the design says that it stands.
#[derive(Debug, Clone, Default)]
pub struct Model {
    account: Option<Account>,
    /// Whether its owner deleted it, less than twelve months ago.
    is_reserved: bool,
}

const WRONG: Verdict = (401, "invalid_credentials");
const BAD_TOKEN: Verdict = (401, "token_invalid");
const NO_SESSION: Verdict = (401, "session_invalid");
const WAITING: Verdict = (429, "too_many_attempts");
const OK: Verdict = (200, "");
const CREATED: Verdict = (201, "");
const DONE: Verdict = (204, "");

impl Model {
    /// The answer that a call has to get.
    #[must_use]
    pub fn verdict(&self, call: &Call) -> Verdict {
        match call {
            Call::Start(None) => self.verdict_of_a_start(),
            Call::Start(Some(token)) if self.may_renew_with(token) || self.open_start(token).is_some() => {
                CREATED
            }
            Call::Start(Some(_)) => BAD_TOKEN,
            Call::Poll(token) => self.open_start(token).map_or(BAD_TOKEN, |_| OK),
            Call::Reveal(token) => self.verdict_of_a_reveal(token),
            Call::Enroll(token) => match self.open_start(token) {
                None => BAD_TOKEN,
                Some(start) if start.password.is_none() => (409, "password_not_revealed"),
                Some(_) => CREATED,
            },
            Call::Confirm(token, attempt) => {
                self.open_start(token).map_or(BAD_TOKEN, |start| start.verdict(attempt))
            }
            Call::Login(attempt) => self.verdict_of_a_login(attempt),
            Call::Look(token) | Call::List(token) | Call::Show(token) => self.verdict_with_session(token, OK),
            Call::Leave(token) => self.verdict_with_session(token, DONE),
            Call::End(token, other) => {
                let verdict = if self.is_session(other) { DONE } else { (404, "not_found") };
                self.verdict_with_session(token, verdict)
            }
            Call::Delete(token, attempt) => {
                let verdict = match self.verdict_of_a_login(attempt) {
                    OK => DONE,
                    refusal => refusal,
                };
                self.verdict_with_session(token, verdict)
            }
        }
    }

    fn verdict_with_session(&self, token: &str, verdict: Verdict) -> Verdict {
        if self.is_session(token) { verdict } else { NO_SESSION }
    }

    /// Whether a call that got its verdict leaves every row of the name as it is.
    #[must_use]
    pub fn changes_nothing(&self, call: &Call) -> bool {
        match (call, self.verdict(call)) {
            // Counted, unless it was a used one.
            (Call::Login(attempt), WRONG) => !self.is_a_wrong_code(attempt),
            (Call::Confirm(token, attempt), WRONG) => {
                self.open_start(token).is_none_or(|start| start.password.as_ref() != Some(&attempt.password))
            }
            (Call::Login(_), (403, "credentials_expired")) => false,
            (Call::Poll(_), _) => true,
            // Whatever comes of it, the session was used.
            (Call::End(..) | Call::Delete(..), verdict) => verdict == NO_SESSION,
            (_, (status, _)) => status >= 400,
        }
    }

    /// Of an attempt that is refused: whether it is a guess, which is counted. A used code is none.
    fn is_a_wrong_code(&self, attempt: &Attempt) -> bool {
        self.live().is_some_and(|live| live.password == attempt.password && !live.has_used(attempt))
    }

    fn verdict_of_a_start(&self) -> Verdict {
        let is_free = self.account.as_ref().is_none_or(|account| {
            account.state == State::Pending && account.start.as_ref().is_some_and(|start| start.is_over)
        });
        if is_free && !self.is_reserved { CREATED } else { (409, "username_taken") }
    }

    fn verdict_of_a_reveal(&self, token: &str) -> Verdict {
        if self.live().is_some_and(|live| live.reveal == token) {
            return (410, "token_used");
        }
        let account = self.account.as_ref();
        let start = account.and_then(|account| account.start.as_ref()).filter(|start| start.reveal == token);
        match start {
            None => (404, "token_unknown"),
            Some(start) if start.password.is_some() => (410, "token_used"),
            Some(_) if !self.may_be_activated() => (404, "token_unknown"),
            Some(start) if start.reveal_is_over || start.is_over => (410, "token_expired"),
            Some(_) => OK,
        }
    }

    fn verdict_of_a_login(&self, attempt: &Attempt) -> Verdict {
        let Some((account, live)) = self.account.as_ref().zip(self.live()) else {
            return WRONG;
        };
        if live.password != attempt.password {
            WRONG
        } else if account.state == State::Suspended {
            (403, "account_suspended")
        } else if account.is_waiting {
            WAITING
        } else if live.secret != attempt.secret || live.has_used(attempt) {
            WRONG
        } else if account.state == State::Expired || live.is_over {
            (403, "credentials_expired")
        } else {
            OK
        }
    }

    fn live(&self) -> Option<&Live> {
        self.account.as_ref()?.live.as_ref()
    }

    fn may_be_activated(&self) -> bool {
        self.account.as_ref().is_some_and(|account| matches!(account.state, State::Pending | State::Expired))
    }

    fn open_start(&self, token: &str) -> Option<&Start> {
        let start = self.account.as_ref()?.start.as_ref()?;
        (start.enrollment == token && !start.is_over && self.may_be_activated()).then_some(start)
    }

    fn may_renew_with(&self, token: &str) -> bool {
        self.account.as_ref().is_some_and(|account| {
            account.state == State::Expired && account.renewal_tokens.get(token) == Some(&false)
        })
    }

    fn is_session(&self, token: &str) -> bool {
        self.account.as_ref().is_some_and(|account| {
            account.state == State::Active
                && account.live.as_ref().is_some_and(|live| !live.is_over)
                && account.sessions.get(token) == Some(&false)
        })
    }

    /// Goes where a call leads that got its verdict.
    pub fn follow(&mut self, call: &Call, gain: Gain) {
        let verdict = self.verdict(call);
        match (call, verdict) {
            (Call::Start(None), CREATED) => self.account = Some(Account::started(gain)),
            (Call::Start(Some(token)), CREATED) => self.account().start_with(token, gain),
            (Call::Reveal(_), OK) => self.start().password = Some(gain.password),
            (Call::Enroll(_), CREATED) => self.start().secret = Some(gain.secret),
            (Call::Confirm(..), OK) => self.account().activate(gain.session),
            (Call::Confirm(..), WRONG) if !self.changes_nothing(call) => self.start().count_a_wrong_code(),
            (Call::Login(_), OK) => self.account().log_in(Some(gain.session)),
            (Call::Login(_), (403, "credentials_expired")) => {
                self.account().log_in(None);
                self.account().renewal_tokens.insert(gain.renewal, false);
            }
            (Call::Login(_), WRONG) if !self.changes_nothing(call) => self.account().count_a_wrong_code(),
            (Call::Leave(token) | Call::End(_, token), DONE) => {
                self.account().sessions.remove(token);
            }
            (Call::Delete(..), DONE) => *self = Self { account: None, is_reserved: true },
            (Call::Delete(_, attempt), WRONG) if self.is_a_wrong_code(attempt) => {
                self.account().count_a_wrong_code();
            }
            _ => {}
        }
    }

    fn account(&mut self) -> &mut Account {
        self.account.as_mut().expect("the verdict needs an account")
    }

    fn start(&mut self) -> &mut Start {
        self.account().start.as_mut().expect("the verdict needs a start")
    }

    /// Whether a change can happen now.
    #[must_use]
    pub fn can(&self, change: Change) -> bool {
        let Some(account) = &self.account else {
            return change == Change::ReservationEnds && self.is_reserved;
        };
        let start = account.start.as_ref();
        match change {
            Change::Remove => true,
            Change::ReservationEnds => false,
            Change::RevealEnds | Change::StartEnds | Change::ManyWrongCodesAtTheStart => {
                start.is_some_and(|start| !start.is_over)
            }
            Change::CredentialsEnd => account.live.is_some(),
            Change::ManyWrongCodes => account.live.is_some() && account.state != State::Suspended,
            Change::WaitEnds => account.is_waiting || start.is_some_and(|start| start.is_waiting),
            Change::RenewalTokensEnd => !account.renewal_tokens.is_empty(),
            Change::SessionsEnd => !account.sessions.is_empty(),
            Change::Suspend => matches!(account.state, State::Active | State::Expired),
            Change::Release => account.state == State::Suspended || account.is_waiting,
            Change::CodesPass => account.live.as_ref().is_some_and(|live| live.has_used_code),
        }
    }

    /// Goes where a change leads that can happen.
    pub fn change(&mut self, change: Change) {
        if matches!(change, Change::Remove | Change::ReservationEnds) {
            *self = Self::default();
            return;
        }
        let account = self.account();
        match change {
            Change::Remove | Change::ReservationEnds => unreachable!("nothing is left"),
            Change::RevealEnds => self.start().reveal_is_over = true,
            Change::StartEnds => self.start().is_over = true,
            Change::CredentialsEnd => account.live.as_mut().expect("it can").is_over = true,
            Change::WaitEnds => {
                account.is_waiting = false;
                account.start.iter_mut().for_each(|start| start.is_waiting = false);
            }
            Change::RenewalTokensEnd => account.renewal_tokens.values_mut().for_each(|over| *over = true),
            Change::SessionsEnd => account.sessions.values_mut().for_each(|over| *over = true),
            Change::Suspend => account.state = State::Suspended,
            Change::Release => account.release(),
            Change::ManyWrongCodes => (account.wrong_codes, account.is_waiting) = (99, false),
            Change::ManyWrongCodesAtTheStart => {
                let start = self.start();
                (start.wrong_codes, start.is_waiting) = (19, false);
            }
            Change::CodesPass => account.live.as_mut().expect("it can").has_used_code = false,
        }
    }

    /// The secret that a right code would be of, now or after an activation; empty when there is none.
    #[must_use]
    pub fn secrets(&self) -> Vec<&str> {
        let start = self.account.as_ref().and_then(|account| account.start.as_ref()?.secret.as_deref());
        start.into_iter().chain(self.live().map(|live| live.secret.as_str())).collect()
    }

    /// What the tables have to say.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let Some(account) = &self.account else {
            return Standing::default();
        };
        let state = match account.state {
            State::Pending => "pending",
            State::Active => "active",
            State::Expired => "expired",
            State::Suspended => "suspended",
        };
        Standing {
            state: Some(state.to_owned()),
            wrong_codes: account.wrong_codes,
            is_waiting: account.is_waiting,
            live: i64::from(account.live.is_some()),
            start: account.start.as_ref().map(Start::standing),
            sessions: count(&account.sessions),
            renewal_tokens: count(&account.renewal_tokens),
        }
    }
}

fn count(tokens: &BTreeMap<String, bool>) -> i64 {
    i64::try_from(tokens.len()).expect("a small number")
}

impl Account {
    fn started(gain: Gain) -> Self {
        Self {
            state: State::Pending,
            start: Some(Start::new(gain)),
            live: None,
            sessions: BTreeMap::new(),
            renewal_tokens: BTreeMap::new(),
            wrong_codes: 0,
            is_waiting: false,
        }
    }

    /// A new code, whose enrollment token stays the same, or a renewal, which uses its token up.
    fn start_with(&mut self, token: &str, gain: Gain) {
        if self.renewal_tokens.remove(token).is_some() {
            self.start = Some(Start::new(gain));
            return;
        }
        let start = self.start.as_mut().expect("a new code is of a start");
        let (wrong_codes, is_waiting) = (start.wrong_codes, start.is_waiting);
        *start = Start { wrong_codes, is_waiting, ..Start::new(gain) };
    }

    fn activate(&mut self, session: String) {
        let start = self.start.take().expect("a start is activated");
        self.live = Some(Live {
            password: start.password.expect("the verdict needs a password"),
            secret: start.secret.expect("the verdict needs a secret"),
            reveal: start.reveal,
            is_over: false,
            has_used_code: true,
        });
        self.state = State::Active;
        (self.wrong_codes, self.is_waiting) = (0, false);
        self.sessions = BTreeMap::from([(session, false)]);
        self.renewal_tokens.clear();
    }

    fn log_in(&mut self, session: Option<String>) {
        (self.wrong_codes, self.is_waiting) = (0, false);
        self.live.as_mut().expect("the verdict needs it").has_used_code = true;
        match session {
            Some(session) => {
                self.sessions.insert(session, false);
            }
            None => self.state = State::Expired,
        }
    }

    fn count_a_wrong_code(&mut self) {
        self.wrong_codes += 1;
        if self.wrong_codes >= 100 {
            self.state = State::Suspended;
        } else {
            self.is_waiting = self.wrong_codes >= 5;
        }
    }

    fn release(&mut self) {
        let is_over = self.live.as_ref().is_some_and(|live| live.is_over);
        self.state = if is_over { State::Expired } else { State::Active };
        (self.wrong_codes, self.is_waiting) = (0, false);
        self.sessions.clear();
    }
}

impl Live {
    fn has_used(&self, attempt: &Attempt) -> bool {
        self.has_used_code && attempt.is_used && attempt.secret == self.secret
    }
}

impl Start {
    fn new(gain: Gain) -> Self {
        Self {
            enrollment: gain.enrollment,
            reveal: gain.reveal,
            reveal_is_over: false,
            is_over: false,
            password: None,
            secret: None,
            wrong_codes: 0,
            is_waiting: false,
        }
    }

    fn verdict(&self, attempt: &Attempt) -> Verdict {
        match (&self.password, &self.secret) {
            (None, _) => (409, "password_not_revealed"),
            (Some(_), None) => (409, "totp_not_started"),
            (Some(password), _) if *password != attempt.password => WRONG,
            _ if self.is_waiting => WAITING,
            (_, Some(secret)) if *secret == attempt.secret => OK,
            _ => WRONG,
        }
    }

    fn count_a_wrong_code(&mut self) {
        self.wrong_codes += 1;
        self.is_waiting = (5..20).contains(&self.wrong_codes);
        self.is_over |= self.wrong_codes >= 20;
    }

    fn standing(&self) -> StartStanding {
        StartStanding {
            is_revealed: self.password.is_some(),
            has_secret: self.secret.is_some(),
            wrong_codes: self.wrong_codes,
            is_waiting: self.is_waiting,
            is_over: self.is_over,
        }
    }
}
