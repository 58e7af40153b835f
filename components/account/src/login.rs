//! `POST /api/login`: username, password and code open a session; expired ones earn a renewal token.

use domain::journey::Attempt;
use domain::journey::login::{self, Evidence, Outcome};
use domain::journey::session::NewSession;
use domain::{Code, Password, PlainToken, Username};
use edge::{Connection, Failure, Problem, Request, Response, Service};
use serde::{Deserialize, Serialize};
use store::event::{self, Refusal};
use store::login::{RightPassword, Tickets};

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
    let snapshot = store::login::load(&database, &username)?;
    match login::examine(&snapshot, &attempt, &keys)? {
        Evidence::WrongPassword { account_id } => {
            event::record(&database, Refusal::LoginWrongPassword, account_id)?;
            Err(Problem::InvalidCredentials.into())
        }
        Evidence::RightPassword { account_id, credential_id, step } => {
            decide(service, &database, &RightPassword { account_id, credential_id, step })
        }
    }
}

fn decide(service: &Service, database: &Connection, attempt: &RightPassword) -> Result<Response, Failure> {
    let mut randomness = service.randomness();
    let tickets = Tickets {
        session: NewSession::draw(&mut randomness)?,
        renewal_token: PlainToken::generate(&mut randomness)?,
    };
    match store::login::commit(database, attempt, &tickets)? {
        Outcome::Authenticated { username, expires_at } => {
            let username = username.as_str();
            let answer = Answer { status: "authenticated", username, expires_at: expires_at.to_rfc3339() };
            Ok(Response::ok(&answer)?.opening_session(&tickets.session.token))
        }
        Outcome::Expired => {
            let renewal_token = tickets.renewal_token.to_text().to_string();
            Err(Problem::CredentialsExpired { renewal_token }.into())
        }
        Outcome::WrongCode | Outcome::ReusedCode | Outcome::Stale => Err(Problem::InvalidCredentials.into()),
        Outcome::Waiting(wait) => Err(wait.into()),
        Outcome::Suspended => Err(Problem::AccountSuspended.into()),
    }
}
