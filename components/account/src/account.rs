//! `GET` and `DELETE /api/account`: all that is stored about oneself, secrets left out; and the removal of it for good, by
//! a session, the password and a code.

use domain::{Code, Password};
use edge::{Failure, Problem, Request, Response, Service};
use journey::Attempt;
use journey::account::{self, document::Document};
use serde::Deserialize;

pub(crate) fn show(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.session()?;
    let export = account::export(&service.database()?, &token.hash())?;
    Ok(Response::ok(&Document::from(&export))?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    password: String,
    code: String,
}

pub(crate) fn delete(service: &Service, request: &Request) -> Result<Response, Failure> {
    let session = request.session()?;
    let body: Confirmation = request.json()?;
    let code = Code::parse(&body.code).map_err(|_| Problem::InvalidRequest)?;
    let attempt = Attempt { password: Password::typed(body.password), code };
    let keys = service.keys()?;
    account::deletion::delete(&service.database()?, &keys, &session.hash(), &attempt)?;
    Ok(Response::no_content().ending_session())
}
