//! `GET /api/password`: whether the phone has revealed the password, for the page that waits.

use edge::{Failure, Problem, Request, Response, Service};
use serde::Serialize;
use store::event::{self, Refusal};

#[derive(Serialize)]
struct Answer<'a> {
    username: &'a str,
    revealed: bool,
    expires_at: String,
}

pub(crate) fn handle(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.required_bearer()?;
    let database = service.database()?;
    let Some(start) = store::start::load(&database, &token.hash())? else {
        event::record(&database, Refusal::PollTokenInvalid, None)?;
        return Err(Problem::TokenInvalid.into());
    };
    Response::ok(&Answer {
        username: start.username.as_str(),
        revealed: start.is_revealed(),
        expires_at: start.reveal_expires_at.to_rfc3339(),
    })
}
