//! `DELETE /api/account`: a session, the password and a code remove one's own account, for good.

use domain::journey::Attempt;
use domain::journey::deletion::Outcome;
use domain::journey::login::{self, Evidence};
use domain::{Code, Password, TokenHash};
use edge::{Connection, Failure, Problem, Request, Response, Service};
use serde::Deserialize;
use store::event::{self, Refusal};
use store::login::RightPassword;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    password: String,
    code: String,
}

pub(crate) fn handle(service: &Service, request: &Request) -> Result<Response, Failure> {
    let session = request.session()?.hash();
    let body: Body = request.json()?;
    let code = Code::parse(&body.code).map_err(|_| Problem::InvalidRequest)?;
    let attempt = Attempt { password: Password::typed(body.password), code };
    let keys = service.keys()?;
    let database = service.database()?;
    let Some(snapshot) = store::deletion::load(&database, &session)? else {
        event::record(&database, Refusal::DeleteSessionInvalid, None)?;
        return Err(Problem::SessionInvalid.into());
    };
    match login::examine(&snapshot, &attempt, &keys)? {
        Evidence::WrongPassword { account_id } => {
            event::record(&database, Refusal::DeleteWrongPassword, account_id)?;
            Err(Problem::InvalidCredentials.into())
        }
        Evidence::RightPassword { account_id, credential_id, step } => {
            decide(&database, &RightPassword { account_id, credential_id, step }, &session)
        }
    }
}

fn decide(database: &Connection, attempt: &RightPassword, session: &TokenHash) -> Result<Response, Failure> {
    match store::deletion::commit(database, attempt, session)? {
        Outcome::Deleted => Ok(Response::no_content().ending_session()),
        Outcome::WrongCode | Outcome::ReusedCode => Err(Problem::InvalidCredentials.into()),
        Outcome::Waiting(wait) => Err(wait.into()),
        Outcome::Suspended => Err(Problem::AccountSuspended.into()),
        Outcome::NoSession => Err(Problem::SessionInvalid.into()),
    }
}
