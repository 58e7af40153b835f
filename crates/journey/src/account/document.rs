//! What is stored about somebody as they are given it, by the page and by the owner's tool: the fields of `Account` in
//! `static/openapi.yaml`, in their order, for whoever writes them down. Points in time are RFC 3339 in UTC.

use domain::UnixTime;
use serde::Serialize;

use super::{Export, OwnCredential, OwnEvent, UnconfirmedCredential};
use crate::session::OwnSession;

/// All of it.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    username: &'a str,
    state: &'a str,
    created_at: String,
    last_login_at: Option<String>,
    wrong_codes: i64,
    locked_until: Option<String>,
    credential: Option<Credential>,
    unconfirmed_credential: Option<Unconfirmed>,
    sessions: Vec<Session>,
    events: Vec<Event<'a>>,
    older_events: i64,
}

#[derive(Debug, Serialize)]
struct Credential {
    revealed_at: String,
    expires_at: String,
    last_code_at: String,
}

#[derive(Debug, Serialize)]
struct Unconfirmed {
    revealed_at: Option<String>,
    code_expires_at: String,
    deadline: String,
    wrong_codes: i64,
    locked_until: Option<String>,
}

/// One of somebody's sessions.
#[derive(Debug, Serialize)]
pub struct Session {
    id: String,
    created_at: String,
    last_seen_at: String,
    current: bool,
}

#[derive(Debug, Serialize)]
struct Event<'a> {
    kind: &'a str,
    outcome: &'a str,
    at: String,
}

impl<'a> From<&'a Export> for Document<'a> {
    fn from(Export { account, sessions, events }: &'a Export) -> Self {
        Self {
            username: account.username.as_str(),
            state: &account.state,
            created_at: account.created_at.to_rfc3339(),
            last_login_at: account.last_login_at.map(UnixTime::to_rfc3339),
            wrong_codes: account.wrong_codes,
            locked_until: account.locked_until.map(UnixTime::to_rfc3339),
            credential: account.credential.as_ref().map(Credential::from),
            unconfirmed_credential: account.unconfirmed.as_ref().map(Unconfirmed::from),
            sessions: sessions.iter().map(Session::from).collect(),
            events: events.newest.iter().map(Event::from).collect(),
            older_events: events.older,
        }
    }
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

impl From<&OwnSession> for Session {
    fn from(session: &OwnSession) -> Self {
        Self {
            id: session.session_id.to_string(),
            created_at: session.created_at.to_rfc3339(),
            last_seen_at: session.last_seen_at.to_rfc3339(),
            current: session.is_current,
        }
    }
}

impl<'a> From<&'a OwnEvent> for Event<'a> {
    fn from(event: &'a OwnEvent) -> Self {
        Self { kind: &event.kind, outcome: &event.outcome, at: event.at.to_rfc3339() }
    }
}
