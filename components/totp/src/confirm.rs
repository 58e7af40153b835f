//! `POST /api/totp/confirm`: the password and a first code make the account active and open a session.

use domain::{Code, Password};
use edge::{Failure, Problem, Request, Response, Service};
use journey::Attempt;
use journey::activate::activate;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    password: String,
    code: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    status: &'a str,
    username: &'a str,
    expires_at: String,
}

pub(crate) fn handle(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.required_bearer()?;
    let body: Body = request.json()?;
    let code = Code::parse(&body.code).map_err(|_| Problem::InvalidRequest)?;
    let attempt = Attempt { password: Password::typed(body.password), code };
    let keys = service.keys()?;
    let database = service.database()?;
    let activated = activate(&database, &keys, &mut service.randomness(), &token, &attempt)?;
    let username = activated.username.as_str();
    let answer = Answer { status: "active", username, expires_at: activated.expires_at.to_rfc3339() };
    Ok(Response::ok(&answer)?.opening_session(&activated.session.token))
}
