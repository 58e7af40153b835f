//! `POST /api/login`: username, password and code open a session; expired ones earn a renewal token.

use domain::{Code, Password, Username};
use edge::{Failure, Problem, Request, Response, Service};
use journey::Attempt;
use journey::login::{Login, login};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    username: String,
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
    let body: Body = request.json()?;
    let username = Username::parse(&body.username).map_err(|_| Problem::InvalidRequest)?;
    let code = Code::parse(&body.code).map_err(|_| Problem::InvalidRequest)?;
    let attempt = Attempt { password: Password::typed(body.password), code };
    let keys = service.keys()?;
    let database = service.database()?;
    match login(&database, &keys, &mut service.randomness(), &username, &attempt)? {
        Login::Authenticated { username, expires_at, session } => {
            let username = username.as_str();
            let answer = Answer { status: "authenticated", username, expires_at: expires_at.to_rfc3339() };
            Ok(Response::ok(&answer)?.opening_session(&session.token))
        }
        Login::Expired { renewal_token } => {
            let renewal_token = renewal_token.to_text().to_string();
            Err(Problem::CredentialsExpired { renewal_token }.into())
        }
    }
}
