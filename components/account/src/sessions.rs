//! `GET /api/sessions` and `DELETE /api/sessions/{id}`: the sessions that one has open, and the end of one of them.

use domain::SessionId;
use domain::journey::session::{Ending, OwnSession};
use edge::{Failure, Problem, Request, Response, Service};
use serde::Serialize;
use store::event::{self, Refusal};

/// A session as its owner sees it.
#[derive(Serialize)]
pub(crate) struct Answer {
    id: String,
    created_at: String,
    last_seen_at: String,
    current: bool,
}

impl From<&OwnSession> for Answer {
    fn from(session: &OwnSession) -> Self {
        Self {
            id: session.session_id.to_string(),
            created_at: session.created_at.to_rfc3339(),
            last_seen_at: session.last_seen_at.to_rfc3339(),
            current: session.is_current,
        }
    }
}

pub(crate) fn list(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.session()?;
    let database = service.database()?;
    let Some(sessions) = store::session::list(&database, &token.hash())? else {
        event::record(&database, Refusal::SessionInvalid, None)?;
        return Err(Problem::SessionInvalid.into());
    };
    Response::ok(&sessions.iter().map(Answer::from).collect::<Vec<_>>())
}

pub(crate) fn end(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.session()?;
    request.no_body()?;
    let session_id = SessionId::parse(request.last_segment()).map_err(|_| Problem::NotFound)?;
    match store::session::end_own(&service.database()?, &token.hash(), session_id)? {
        Ending::Ended { was_current: true } => Ok(Response::no_content().ending_session()),
        Ending::Ended { was_current: false } => Ok(Response::no_content()),
        Ending::Unknown => Err(Problem::NotFound.into()),
        Ending::NoSession => Err(Problem::SessionInvalid.into()),
    }
}
