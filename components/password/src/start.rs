//! `POST /api/password`: a code for a new name; with an enrollment token another code for the same start; with a
//! renewal token a start for an account whose credentials have expired.

use domain::{PlainToken, UnixTime, Username};
use edge::{Failure, Problem, Request, Response, Service};
use journey::start::{self, NewAccount, NewCode, Renewal};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    username: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    username: &'a str,
    reveal_url: &'a str,
    qr_svg: &'a str,
    expires_at: String,
    enrollment_token: &'a str,
}

pub(crate) fn handle(service: &Service, request: &Request) -> Result<Response, Failure> {
    let bearer = request.bearer()?;
    let body: Body = request.json()?;
    let username = Username::parse(&body.username).map_err(|_| Problem::InvalidUsername)?;
    // Not needed here, but by every step that follows: a start that cannot be finished must not take a name or a token.
    service.keys()?;
    service.issuer()?;
    match bearer {
        None => start(service, username),
        Some(token) => start_with(service, &token, username),
    }
}

fn start(service: &Service, username: Username) -> Result<Response, Failure> {
    let account = NewAccount::draw(username, &mut service.randomness())?;
    let code = Code::draw(service, &account.draft.reveal_token)?;
    let expires_at = account.create(&service.database()?)?;
    code.answer(&account.username, expires_at, &account.draft.enrollment_token)
}

/// A token does not say what it is for. An enrollment token is looked up first; what is none may pay for a renewal.
fn start_with(service: &Service, token: &PlainToken, username: Username) -> Result<Response, Failure> {
    let database = service.database()?;
    let randomness = &mut service.randomness();
    if let Some(open) = start::load(&database, &token.hash())? {
        let new = NewCode::draw(&database, open, token, &username, randomness)?;
        let code = Code::draw(service, &new.reveal_token)?;
        return code.answer(&username, new.replace(&database)?, token);
    }
    let renewal = Renewal::draw(token, username, randomness)?;
    let code = Code::draw(service, &renewal.draft.reveal_token)?;
    let expires_at = renewal.begin(&database)?;
    code.answer(&renewal.username, expires_at, &renewal.draft.enrollment_token)
}

/// A reveal link and its drawing. Made before the commit: what could fail must not fail after a token was used up.
struct Code {
    reveal_url: String,
    qr_svg: String,
}

impl Code {
    fn draw(service: &Service, reveal_token: &PlainToken) -> Result<Self, Failure> {
        let reveal_url = service.public_url()?.reveal_url(reveal_token);
        let qr_svg = edge::qr_svg(&reveal_url)?;
        Ok(Self { reveal_url, qr_svg })
    }

    fn answer(
        &self,
        username: &Username,
        expires_at: UnixTime,
        enrollment_token: &PlainToken,
    ) -> Result<Response, Failure> {
        Ok(Response::created(&Answer {
            username: username.as_str(),
            reveal_url: &self.reveal_url,
            qr_svg: &self.qr_svg,
            expires_at: expires_at.to_rfc3339(),
            enrollment_token: &enrollment_token.to_text(),
        })?)
    }
}
