//! `GET /api/account`: all that is stored about oneself, secrets left out.

use domain::UnixTime;
use domain::journey::account::{OwnAccount, OwnCredential, OwnEvent, OwnEvents, UnconfirmedCredential};
use domain::journey::session::OwnSession;
use edge::{Failure, Problem, Request, Response, Service};
use serde::Serialize;
use store::event::{self, Refusal};

use crate::sessions;

#[derive(Serialize)]
struct Answer<'a> {
    username: &'a str,
    state: &'a str,
    created_at: String,
    last_login_at: Option<String>,
    wrong_codes: i64,
    locked_until: Option<String>,
    credential: Credential,
    unconfirmed_credential: Option<Unconfirmed>,
    sessions: Vec<sessions::Answer>,
    events: Vec<Event<'a>>,
    older_events: i64,
}

#[derive(Serialize)]
struct Credential {
    revealed_at: String,
    expires_at: String,
    last_code_at: String,
}

#[derive(Serialize)]
struct Unconfirmed {
    revealed_at: Option<String>,
    code_expires_at: String,
    deadline: String,
    wrong_codes: i64,
    locked_until: Option<String>,
}

#[derive(Serialize)]
struct Event<'a> {
    kind: &'a str,
    outcome: &'a str,
    at: String,
}

pub(crate) fn show(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.session()?.hash();
    let database = service.database()?;
    let account = store::account::load(&database, &token)?;
    // The session may end between the two.
    let sessions = account.as_ref().map_or(Ok(None), |_| store::session::list(&database, &token))?;
    let (Some(account), Some(sessions)) = (account, sessions) else {
        event::record(&database, Refusal::SessionInvalid, None)?;
        return Err(Problem::SessionInvalid.into());
    };
    let events = store::account::events(&database, account.account_id)?;
    answer(&account, &sessions, &events)
}

fn answer(account: &OwnAccount, sessions: &[OwnSession], events: &OwnEvents) -> Result<Response, Failure> {
    Response::ok(&Answer {
        username: account.username.as_str(),
        state: &account.state,
        created_at: account.created_at.to_rfc3339(),
        last_login_at: account.last_login_at.map(UnixTime::to_rfc3339),
        wrong_codes: account.wrong_codes,
        locked_until: account.locked_until.map(UnixTime::to_rfc3339),
        credential: Credential::from(&account.credential),
        unconfirmed_credential: account.unconfirmed.as_ref().map(Unconfirmed::from),
        sessions: sessions.iter().map(sessions::Answer::from).collect(),
        events: events.newest.iter().map(Event::from).collect(),
        older_events: events.older,
    })
}

impl From<&OwnCredential> for Credential {
    fn from(credential: &OwnCredential) -> Self {
        Self {
            revealed_at: credential.revealed_at.to_rfc3339(),
            expires_at: credential.expires_at.to_rfc3339(),
            last_code_at: credential.last_code_at.to_rfc3339(),
        }
    }
}

impl From<&UnconfirmedCredential> for Unconfirmed {
    fn from(credential: &UnconfirmedCredential) -> Self {
        Self {
            revealed_at: credential.revealed_at.map(UnixTime::to_rfc3339),
            code_expires_at: credential.code_expires_at.to_rfc3339(),
            deadline: credential.deadline.to_rfc3339(),
            wrong_codes: credential.wrong_codes,
            locked_until: credential.locked_until.map(UnixTime::to_rfc3339),
        }
    }
}

impl<'a> From<&'a OwnEvent> for Event<'a> {
    fn from(event: &'a OwnEvent) -> Self {
        Self { kind: &event.kind, outcome: &event.outcome, at: event.at.to_rfc3339() }
    }
}
