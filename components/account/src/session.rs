//! `GET` and `DELETE /api/session`: what the session's owner may know of it, and logout. `GET /api/sessions` and
//! `DELETE /api/sessions/{id}`: the sessions that one has open, and the end of one of them.

use domain::SessionId;
use edge::{Failure, Problem, Request, Response, Service};
use journey::account::document;
use journey::session;
use serde::Serialize;

#[derive(Serialize)]
struct Answer<'a> {
    username: &'a str,
    expires_at: String,
    session_expires_at: String,
    previous_login_at: Option<String>,
    failed_before: i64,
}

pub(crate) fn show(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.session()?;
    let session = session::touch(&service.database()?, &token.hash())?;
    Ok(Response::ok(&Answer {
        username: session.username.as_str(),
        expires_at: session.expires_at.to_rfc3339(),
        session_expires_at: session.session_expires_at.to_rfc3339(),
        previous_login_at: session.previous_login_at.map(|at| at.to_rfc3339()),
        failed_before: session.failed_before,
    })?)
}

pub(crate) fn end(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.session()?;
    request.no_body()?;
    session::end(&service.database()?, &token.hash())?;
    Ok(Response::no_content().ending_session())
}

pub(crate) fn list(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.session()?;
    let sessions = session::list(&service.database()?, &token.hash())?;
    Ok(Response::ok(&sessions.iter().map(document::Session::from).collect::<Vec<_>>())?)
}

pub(crate) fn end_own(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.session()?;
    request.no_body()?;
    let session_id = SessionId::parse(request.last_segment()).map_err(|_| Problem::NotFound)?;
    let ended = session::end_own(&service.database()?, &token.hash(), session_id)?;
    let response = Response::no_content();
    Ok(if ended.was_current { response.ending_session() } else { response })
}
