//! `POST /api/totp/confirm`: the password and a first code make the account active and open a session.

use domain::journey::activate::{self, Evidence, Outcome};
use domain::journey::session::NewSession;
use domain::journey::{Attempt, OpenStart};
use domain::{Code, Password, Step, UnixTime};
use edge::{Connection, Failure, Problem, Request, Response, Service};
use serde::{Deserialize, Serialize};
use store::event::{self, Refusal};

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
    let Some(start) = store::start::load(&database, &token.hash())? else {
        event::record(&database, Refusal::ActivateTokenInvalid, None)?;
        return Err(Problem::TokenInvalid.into());
    };
    let (refusal, problem) = match activate::examine(&start, &attempt, &keys)? {
        Evidence::RightPassword { step, expires_at } => {
            return activate(service, &database, &start, step, expires_at);
        }
        Evidence::PasswordNotRevealed => (Refusal::ActivatePasswordNotRevealed, Problem::PasswordNotRevealed),
        Evidence::TotpNotStarted => (Refusal::ActivateTotpNotStarted, Problem::TotpNotStarted),
        Evidence::WrongPassword => (Refusal::ActivateWrongPassword, Problem::InvalidCredentials),
    };
    event::record(&database, refusal, Some(start.account_id))?;
    Err(problem.into())
}

fn activate(
    service: &Service,
    database: &Connection,
    start: &OpenStart,
    step: Option<Step>,
    expires_at: UnixTime,
) -> Result<Response, Failure> {
    let session = NewSession::draw(&mut service.randomness())?;
    match store::activate::commit(database, start, step, expires_at, &session)? {
        Outcome::Activated { username, expires_at } => {
            let username = username.as_str();
            let answer = Answer { status: "active", username, expires_at: expires_at.to_rfc3339() };
            Ok(Response::ok(&answer)?.opening_session(&session.token))
        }
        Outcome::WrongCode | Outcome::StartEnded => Err(Problem::InvalidCredentials.into()),
        Outcome::Waiting(wait) => Err(wait.into()),
        Outcome::Superseded => Err(Problem::Superseded.into()),
        Outcome::Ended => Err(Problem::TokenInvalid.into()),
    }
}
