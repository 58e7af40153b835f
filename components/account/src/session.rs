//! `GET` and `DELETE /api/session`: what the session's owner may know of it, and logout.

use edge::{Failure, Problem, Request, Response, Service};
use serde::Serialize;
use store::event::{self, Refusal};

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
    let database = service.database()?;
    let Some(session) = store::session::touch(&database, &token.hash())? else {
        event::record(&database, Refusal::SessionInvalid, None)?;
        return Err(Problem::SessionInvalid.into());
    };
    Response::ok(&Answer {
        username: session.username.as_str(),
        expires_at: session.expires_at.to_rfc3339(),
        session_expires_at: session.session_expires_at.to_rfc3339(),
        previous_login_at: session.previous_login_at.map(|at| at.to_rfc3339()),
        failed_before: session.failed_before,
    })
}

pub(crate) fn end(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.session()?;
    request.no_body()?;
    let database = service.database()?;
    if store::session::end(&database, &token.hash())? {
        Ok(Response::no_content().ending_session())
    } else {
        event::record(&database, Refusal::LogoutSessionInvalid, None)?;
        Err(Problem::SessionInvalid.into())
    }
}
