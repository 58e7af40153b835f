//! Walks: calls by several people about one name, in whatever order, each held against the model.
//!
//! The owner has two browsers, which keep their tokens, and remembers what the service showed last. A stranger knows the
//! name. A thief has every token, password and second factor that was ever handed out, the dead ones among them, and
//! tries each at every door.

use std::collections::BTreeMap;

use harness::authenticator::STEP_SECONDS;
use harness::client::Request;
use harness::journey::{started, text};
use harness::{Answer, Authenticator, Client};
use proptest::prelude::*;
use serde_json::Value;

use crate::Arena;
use crate::model::{Attempt, Call, Change, Gain, Model};

/// Who does something.
#[derive(Debug, Clone, Copy)]
pub enum Actor {
    /// The owner, in the first browser or the second.
    Owner(usize),
    /// Somebody who knows the name.
    Stranger,
    /// Somebody who has whatever was ever handed out.
    Thief,
}

/// What somebody does, or what happens.
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    /// A start without a token.
    Start,
    /// A start with a renewal or an enrollment token.
    StartWithToken,
    /// A look at the waiting page.
    Poll,
    /// A reveal.
    Reveal,
    /// A second factor.
    Enroll,
    /// An activation.
    Confirm,
    /// A login.
    Login,
    /// A look at the session, at all sessions, or at the account.
    Look,
    /// A logout.
    Leave,
    /// The end of any session.
    End,
    /// A deletion of the account.
    Delete,
    /// Time passes, or an operator does something.
    Happens(Change),
}

/// The code that goes with a password.
#[derive(Debug, Clone, Copy)]
pub enum Code {
    /// What the phone shows, not used yet.
    Right,
    /// The one that was used last.
    Used,
    /// One that no phone shows.
    Wrong,
}

/// A step of a walk.
#[derive(Clone, Copy)]
pub struct Step {
    /// Who.
    pub actor: Actor,
    /// What.
    pub deed: Deed,
    /// With which code, where there is one.
    pub code: Code,
    /// Chooses among what the actor has.
    pub pick: usize,
}

/// Short, because a walk that failed is printed.
impl std::fmt::Debug for Step {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.deed {
            Deed::Happens(change) => write!(formatter, "{change:?}"),
            deed => write!(formatter, "{:?} {deed:?} {:?} {}", self.actor, self.code, self.pick),
        }
    }
}

/// The whole journey and half a renewal, by the owner in the first browser: a walk begins after some of these.
#[must_use]
pub fn beginning(length: usize) -> Vec<Step> {
    let deeds = [
        Deed::Start,
        Deed::Reveal,
        Deed::Enroll,
        Deed::Confirm,
        Deed::Happens(Change::CredentialsEnd),
        Deed::Login,
        Deed::StartWithToken,
        Deed::Reveal,
        Deed::Enroll,
    ];
    let step = |deed: &Deed| Step { actor: Actor::Owner(0), deed: *deed, code: Code::Right, pick: 1 };
    deeds[..length].iter().map(step).collect()
}

/// Any walk: how much of the beginning it has, and up to so many steps after it.
pub fn walks(longest: usize) -> impl Strategy<Value = (usize, Vec<Step>)> {
    (0..=9_usize, prop::collection::vec(any_step(), 1..=longest))
}

fn any_step() -> impl Strategy<Value = Step> {
    let actor = prop_oneof![
        4 => (0..2_usize).prop_map(Actor::Owner),
        1 => Just(Actor::Stranger),
        3 => Just(Actor::Thief),
    ];
    let code = prop_oneof![3 => Just(Code::Right), 1 => Just(Code::Used), 2 => Just(Code::Wrong)];
    (actor, any_deed(), code, 0..48_usize).prop_map(|(actor, deed, code, pick)| Step {
        actor,
        deed,
        code,
        pick,
    })
}

fn any_deed() -> impl Strategy<Value = Deed> {
    const CALLS: &[Deed] = &[
        Deed::Start,
        Deed::StartWithToken,
        Deed::Poll,
        Deed::Reveal,
        Deed::Enroll,
        Deed::Confirm,
        Deed::Login,
        Deed::Login,
        Deed::Look,
        Deed::Leave,
        Deed::End,
        Deed::Delete,
    ];
    const CHANGES: &[Change] = &[
        Change::RevealEnds,
        Change::StartEnds,
        Change::CredentialsEnd,
        Change::WaitEnds,
        Change::RenewalTokensEnd,
        Change::SessionsEnd,
        Change::Suspend,
        Change::Release,
        Change::ManyWrongCodes,
        Change::ManyWrongCodesAtTheStart,
        Change::Remove,
        Change::ReservationEnds,
    ];
    prop_oneof![
        4 => prop::sample::select(CALLS),
        1 => prop::sample::select(CHANGES).prop_map(Deed::Happens),
    ]
}

/// What a browser keeps.
#[derive(Clone, Default)]
struct Browser {
    enrollment: String,
    renewal: String,
    session: String,
}

/// A name, the people around it, and the model of it.
pub struct Walk<'arena> {
    arena: &'arena Arena,
    username: String,
    model: Model,
    browsers: [Browser; 2],
    /// The link that was drawn last, and what the owner wrote down last.
    link: String,
    password: String,
    secret: String,
    /// What the last activation proved.
    confirmed: (String, String),
    used_step: u64,
    tokens: Vec<String>,
    passwords: Vec<String>,
    /// The id of every session that was ever opened, by its token.
    sessions: BTreeMap<String, String>,
    phones: BTreeMap<String, Authenticator>,
    taken: usize,
}

/// A token that nobody was given.
const NO_TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// The id of no session.
const NO_ID: &str = "018f2f3e-0000-7000-8000-000000000000";
/// A password that nobody was given.
const NO_PASSWORD: &str = "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!";

impl<'arena> Walk<'arena> {
    /// A name that nobody has.
    #[must_use]
    pub fn new(arena: &'arena Arena) -> Self {
        Self {
            arena,
            username: arena.running.username("walk"),
            model: Model::default(),
            browsers: Default::default(),
            link: NO_TOKEN.to_owned(),
            password: NO_PASSWORD.to_owned(),
            secret: String::new(),
            confirmed: (NO_PASSWORD.to_owned(), String::new()),
            used_step: 0,
            tokens: vec![NO_TOKEN.to_owned()],
            passwords: vec![NO_PASSWORD.to_owned()],
            sessions: BTreeMap::new(),
            phones: BTreeMap::new(),
            taken: 0,
        }
    }

    /// Takes a step, and holds the answer and the rows against the model.
    ///
    /// # Errors
    /// How they differ.
    pub fn take(&mut self, step: Step) -> Result<(), String> {
        self.taken += 1;
        let Deed::Happens(change) = step.deed else {
            let call = self.call(step);
            return self.make(step, &call);
        };
        if self.model.can(change) {
            self.change(change);
        }
        self.hold_against_the_rows()
    }

    fn make(&mut self, step: Step, call: &Call) -> Result<(), String> {
        let database = self.arena.database();
        let code = self.code(step, call);
        let before = database.rows_of(&self.username);
        let answer = self.request(call, &code, step.pick).send();
        let (verdict, found) = (self.model.verdict(call), (answer.status, answer.code()));
        if (verdict.0, verdict.1) != (found.0, found.1.as_str()) {
            return Err(format!("{call:?} was answered {found:?} instead of {verdict:?}"));
        }
        if self.model.changes_nothing(call) && database.rows_of(&self.username) != before {
            return Err(format!("{call:?} was answered {found:?} and changed a row"));
        }
        let gain = self.gain(step, call, &answer);
        if answer.status < 400 && matches!(call, Call::Confirm(..) | Call::Login(_))
            || answer.code() == "credentials_expired"
        {
            self.used_step = self.step_of(call, &code);
        }
        self.model.follow(call, gain);
        self.hold_against_the_rows()
    }

    fn hold_against_the_rows(&self) -> Result<(), String> {
        let (model, rows) = (self.model.standing(), self.arena.database().standing(&self.username));
        if model == rows { Ok(()) } else { Err(format!("the rows say {rows:?}, the model {model:?}")) }
    }

    fn call(&mut self, step: Step) -> Call {
        let Step { actor, deed, code, pick } = step;
        let browser = |number: usize| self.browsers[number].clone();
        let token = |kept: fn(&Browser) -> &String| match actor {
            Actor::Owner(number) => non_empty(kept(&browser(number))),
            Actor::Stranger => NO_TOKEN.to_owned(),
            Actor::Thief => self.tokens[pick % self.tokens.len()].clone(),
        };
        match deed {
            Deed::Start => Call::Start(None),
            Deed::StartWithToken if pick % 2 == 1 => Call::Start(Some(token(|kept| &kept.renewal))),
            Deed::StartWithToken => Call::Start(Some(token(|kept| &kept.enrollment))),
            Deed::Poll => Call::Poll(token(|kept| &kept.enrollment)),
            Deed::Reveal => match actor {
                Actor::Owner(_) => Call::Reveal(self.link.clone()),
                _ => Call::Reveal(token(|kept| &kept.enrollment)),
            },
            Deed::Enroll => Call::Enroll(token(|kept| &kept.enrollment)),
            Deed::Confirm => {
                let token = token(|kept| &kept.enrollment);
                let newest = (self.password.clone(), self.secret.clone());
                Call::Confirm(token, self.attempt(actor, code, pick, newest))
            }
            Deed::Login => {
                let newest = (self.password.clone(), self.secret.clone());
                let known = if pick % 4 == 0 { newest } else { self.confirmed.clone() };
                Call::Login(self.attempt(actor, code, pick, known))
            }
            Deed::Look => {
                let look = [Call::Look, Call::List, Call::Show][pick % 3];
                look(token(|kept| &kept.session))
            }
            Deed::Leave => Call::Leave(token(|kept| &kept.session)),
            Deed::End => {
                let other = self.sessions.keys().nth(pick / 3 % self.sessions.len().max(1)).cloned();
                Call::End(token(|kept| &kept.session), other.unwrap_or_default())
            }
            Deed::Delete => {
                let token = token(|kept| &kept.session);
                Call::Delete(token, self.attempt(actor, code, pick, self.confirmed.clone()))
            }
            Deed::Happens(_) => unreachable!("what happens is no call"),
        }
    }

    fn attempt(&self, actor: Actor, code: Code, pick: usize, known: (String, String)) -> Attempt {
        let (password, secret) = match actor {
            Actor::Owner(_) => known,
            Actor::Stranger => (NO_PASSWORD.to_owned(), String::new()),
            Actor::Thief => {
                let password = self.passwords[pick % self.passwords.len()].clone();
                let secret = self.phones.keys().nth(pick / 7 % self.phones.len().max(1)).cloned();
                (password, secret.unwrap_or_default())
            }
        };
        match code {
            Code::Wrong => Attempt { password, secret: String::new(), is_used: false },
            Code::Right => Attempt { password, secret, is_used: false },
            Code::Used => Attempt { password, secret, is_used: true },
        }
    }

    /// The six digits of an attempt. A code that is right by mere chance, for another secret than the one that it is
    /// of, is replaced by a wrong one.
    fn code(&mut self, step: Step, call: &Call) -> String {
        let (Call::Login(attempt) | Call::Confirm(_, attempt) | Call::Delete(_, attempt)) = call else {
            return String::new();
        };
        let has_used_one = self.model.can(Change::CodesPass);
        let is_of_the_live_phone = matches!(call, Call::Login(_) | Call::Delete(..));
        if is_of_the_live_phone && matches!(step.code, Code::Right) && has_used_one {
            self.change(Change::CodesPass);
        }
        let now = self.arena.database().now();
        let secrets = self.model.secrets().into_iter().filter(|secret| *secret != attempt.secret);
        let right_elsewhere: Vec<String> =
            secrets.flat_map(|secret| self.phones[secret].codes_near(now)).collect();
        let time = if attempt.is_used && has_used_one { self.used_step * STEP_SECONDS } else { now };
        let shown = self.phones.get(&attempt.secret).map(|phone| phone.code_at(time));
        let any = (0..1_000_000).map(|number| format!("{number:06}"));
        let mut codes = shown.into_iter().chain(any);
        codes.find(|code| !right_elsewhere.contains(code)).expect("most codes are wrong")
    }

    fn step_of(&self, call: &Call, code: &str) -> u64 {
        let (Call::Login(attempt) | Call::Confirm(_, attempt)) = call else { return 0 };
        let now = self.arena.database().now() / STEP_SECONDS;
        let is_of = |step: &u64| self.phones[&attempt.secret].code_at(step * STEP_SECONDS) == code;
        (now - 2..=now + 1).rev().find(is_of).expect("the code was taken a moment ago")
    }

    fn request(&self, call: &Call, code: &str, pick: usize) -> Request<'arena> {
        let client: &'arena Client = self.arena.client(self.taken);
        let name = match pick % 3 {
            0 => self.username.clone(),
            1 => self.username.to_uppercase(),
            _ => format!("\t{} ", self.username),
        };
        match call {
            Call::Start(None) => client.start_request(&name),
            Call::Start(Some(token)) => client.start_request(&name).bearer(token),
            Call::Poll(token) => client.get("/api/password").bearer(token),
            Call::Reveal(token) => client.reveal_request(token),
            Call::Enroll(token) => client.enroll_request(token),
            Call::Confirm(token, attempt) => client.confirm_request(token, &attempt.password, code),
            Call::Login(attempt) => client.login_request(&name, &attempt.password, code),
            Call::Look(token) => client.session_request(token),
            Call::List(token) => client.get("/api/sessions").session(token),
            Call::Show(token) => client.get("/api/account").session(token),
            Call::Leave(token) => client.logout_request(token),
            Call::End(token, other) => {
                let id = self.sessions.get(other).map_or(NO_ID, String::as_str);
                client.end_session_request(token, id)
            }
            Call::Delete(token, attempt) => client.delete_account_request(token, &attempt.password, code),
        }
    }

    /// Takes what an answer brings, into the actor's browser and everybody's memory. (What a stranger or a thief starts
    /// is kept in the second browser.)
    fn gain(&mut self, step: Step, call: &Call, answer: &Answer) -> Gain {
        let mut gain = Gain::default();
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let browser = &mut self.browsers[if let Actor::Owner(number) = step.actor { number } else { 1 }];
        match (call, answer.status) {
            (Call::Start(_), 201) => {
                let start = started(answer);
                (gain.enrollment, gain.reveal) = (start.enrollment, start.reveal);
                browser.enrollment.clone_from(&gain.enrollment);
                self.link.clone_from(&gain.reveal);
                self.tokens.extend([gain.enrollment.clone(), gain.reveal.clone()]);
            }
            (Call::Reveal(_), 200) => {
                gain.password = text(&body, "password");
                self.password.clone_from(&gain.password);
                self.passwords.push(gain.password.clone());
            }
            (Call::Enroll(_), 201) => {
                gain.secret = text(&body, "secret");
                self.secret.clone_from(&gain.secret);
                let phone = Authenticator::scan(&text(&body, "otpauth_uri"));
                self.phones.insert(gain.secret.clone(), phone);
            }
            (Call::Confirm(_, attempt), 200) => {
                self.confirmed = (attempt.password.clone(), attempt.secret.clone());
                gain.session = answer.session();
            }
            (Call::Login(_), 200) => gain.session = answer.session(),
            (Call::Login(_), 403) if answer.code() == "credentials_expired" => {
                gain.renewal = text(&body, "renewal_token");
                browser.renewal.clone_from(&gain.renewal);
                self.tokens.push(gain.renewal.clone());
            }
            _ => {}
        }
        if !gain.session.is_empty() {
            browser.session.clone_from(&gain.session);
            self.tokens.push(gain.session.clone());
            let id = self.arena.client(self.taken).id_of_session(&gain.session);
            self.sessions.insert(gain.session.clone(), id);
        }
        gain
    }

    fn change(&mut self, change: Change) {
        let travel = self.arena.database().time_travel();
        let name = self.username.as_str();
        match change {
            Change::RevealEnds => travel.expire_reveal(name),
            Change::StartEnds => travel.expire_start(name),
            Change::CredentialsEnd => travel.expire_credentials(name),
            Change::WaitEnds => travel.end_wait(name),
            Change::RenewalTokensEnd => travel.expire_renewal_tokens(name),
            Change::SessionsEnd => travel.sessions_idle_for_minutes(name, 61),
            Change::Suspend => travel.suspend(name),
            Change::Release => travel.release(name),
            Change::ManyWrongCodes => travel.set_wrong_codes(name, 99),
            Change::ManyWrongCodesAtTheStart => travel.set_wrong_codes_of_the_start(name, 19),
            Change::CodesPass => travel.forget_used_steps(name),
            Change::Remove => assert!(travel.remove(name)),
            Change::ReservationEnds => travel.end_reservation(name),
        }
        self.model.change(change);
    }
}

/// A token that a browser does not have: it sends one that is nobody's.
fn non_empty(token: &str) -> String {
    if token.is_empty() { NO_TOKEN.to_owned() } else { token.to_owned() }
}
