//! `GET /api/password`: whether the phone has revealed the password, for the page that waits.

use edge::{Failure, Request, Response, Service};
use serde::Serialize;

#[derive(Serialize)]
struct Answer<'a> {
    username: &'a str,
    revealed: bool,
    expires_at: String,
}

pub(crate) fn handle(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.required_bearer()?;
    let start = journey::start::poll(&service.database()?, &token.hash())?;
    Ok(Response::ok(&Answer {
        username: start.username.as_str(),
        revealed: start.is_revealed(),
        expires_at: start.reveal_expires_at.to_rfc3339(),
    })?)
}
