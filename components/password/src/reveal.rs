//! `POST /api/password/reveal`: the password is made, stored as a verifier, and handed over, once.

use domain::PlainToken;
use edge::{Failure, Problem, Request, Response, Service};
use journey::reveal;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    token: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    username: &'a str,
    password: &'a str,
    qr_svg: String,
}

pub(crate) fn handle(service: &Service, request: &Request) -> Result<Response, Failure> {
    let body: Body = request.json()?;
    let token = PlainToken::parse(&body.token).map_err(|_| Problem::InvalidRequest)?;
    let keys = service.keys()?;
    let database = service.database()?;
    let new = reveal::make(&database, &keys, &mut service.randomness(), &token)?;
    // Everything that could fail after the commit is made before it: a password that was stored must be shown.
    let (username, password) = (new.snapshot.username.as_str(), new.password.expose());
    let response = Response::ok(&Answer { username, password, qr_svg: edge::qr_svg(password)? })?;
    new.commit(&database)?;
    Ok(response)
}
