//! `POST /api/password/reveal`: the password is made, stored as a verifier, and handed over, once.

use domain::PlainToken;
use domain::journey::reveal::{self, Outcome, RevealSnapshot};
use edge::{Failure, Problem, Request, Response, Service};
use serde::{Deserialize, Serialize};
use store::event::{self, Refusal};

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
    let Some(snapshot) = store::reveal::load(&database, &token.hash())? else {
        event::record(&database, Refusal::RevealTokenUnknown, None)?;
        return Err(Problem::TokenUnknown.into());
    };
    if let Err(refusal) = reveal::decide(&snapshot) {
        let (refusal, problem) = match refusal {
            reveal::Refusal::Used => (Refusal::RevealTokenUsed, Problem::TokenUsed),
            reveal::Refusal::Expired => (Refusal::RevealTokenExpired, Problem::TokenExpired),
        };
        event::record(&database, refusal, Some(snapshot.account_id))?;
        return Err(problem.into());
    }
    let new_password = reveal::make_password(&snapshot, &keys, &mut service.randomness())?;
    // Everything that could fail after the commit is made before it: a password that was stored must be shown.
    let response = answer(&snapshot, new_password.password.expose())?;
    match store::reveal::commit(&database, &snapshot, &token.hash(), &new_password)? {
        Outcome::Revealed => Ok(response),
        Outcome::Used => Err(Problem::TokenUsed.into()),
        Outcome::Expired => Err(Problem::TokenExpired.into()),
        Outcome::Unknown => Err(Problem::TokenUnknown.into()),
    }
}

fn answer(snapshot: &RevealSnapshot, password: &str) -> Result<Response, Failure> {
    Response::ok(&Answer { username: snapshot.username.as_str(), password, qr_svg: edge::qr_svg(password)? })
}
