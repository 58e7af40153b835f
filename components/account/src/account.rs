//! `GET` and `DELETE /api/account`: all that is stored about oneself, secrets left out; and the removal of it for good, by
//! a session, the password and a code.

use domain::{Code, Password, UnixTime};
use edge::{Failure, Problem, Request, Response, Service};
use journey::Attempt;
use journey::account::{self, Export, OwnCredential, OwnEvent, UnconfirmedCredential};
use serde::{Deserialize, Serialize};

use crate::session;

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
    sessions: Vec<session::Own>,
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
    let token = request.session()?;
    let Export { account, sessions, events } = account::export(&service.database()?, &token.hash())?;
    Ok(Response::ok(&Answer {
        username: account.username.as_str(),
        state: &account.state,
        created_at: account.created_at.to_rfc3339(),
        last_login_at: account.last_login_at.map(UnixTime::to_rfc3339),
        wrong_codes: account.wrong_codes,
        locked_until: account.locked_until.map(UnixTime::to_rfc3339),
        credential: Credential::from(&account.credential),
        unconfirmed_credential: account.unconfirmed.as_ref().map(Unconfirmed::from),
        sessions: sessions.iter().map(session::Own::from).collect(),
        events: events.newest.iter().map(Event::from).collect(),
        older_events: events.older,
    })?)
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    password: String,
    code: String,
}

pub(crate) fn delete(service: &Service, request: &Request) -> Result<Response, Failure> {
    let session = request.session()?;
    let body: Confirmation = request.json()?;
    let code = Code::parse(&body.code).map_err(|_| Problem::InvalidRequest)?;
    let attempt = Attempt { password: Password::typed(body.password), code };
    let keys = service.keys()?;
    account::deletion::delete(&service.database()?, &keys, &session.hash(), &attempt)?;
    Ok(Response::no_content().ending_session())
}
