//! `POST /api/password`: a code for a new name; with an enrollment token another code for the same start; with a
//! renewal token a start for an account whose credentials have expired.

use domain::journey::{CodeIssued, OpenStart, renew, start};
use domain::{PlainToken, Username};
use edge::{Connection, Failure, Problem, Request, Response, Service};
use serde::{Deserialize, Serialize};
use store::event::{self, Refusal};

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
    let account = start::decide(username, &mut service.randomness())?;
    let code = Code::draw(service, &account.draft.reveal_token)?;
    let issued =
        store::start::create_account(&service.database()?, &account)?.ok_or(Problem::UsernameTaken)?;
    code.answer(&account.username, issued, &account.draft.enrollment_token)
}

/// A token does not say what it is for. An enrollment token is looked up first; what is none may pay for a renewal.
fn start_with(service: &Service, token: &PlainToken, username: Username) -> Result<Response, Failure> {
    let database = service.database()?;
    match store::start::load(&database, &token.hash())? {
        Some(open) => new_code(service, &database, &open, token, &username),
        None => renew(service, &database, token, username),
    }
}

fn new_code(
    service: &Service,
    database: &Connection,
    open: &OpenStart,
    enrollment_token: &PlainToken,
    username: &Username,
) -> Result<Response, Failure> {
    if start::check_owner(open, username).is_err() {
        event::record(database, Refusal::NewCodeTokenInvalid, Some(open.account_id))?;
        return Err(Problem::TokenInvalid.into());
    }
    let reveal_token = start::new_code(&mut service.randomness())?;
    let code = Code::draw(service, &reveal_token)?;
    let issued = store::start::replace_code(database, open, &enrollment_token.hash(), &reveal_token)?;
    code.answer(username, issued.ok_or(Problem::TokenInvalid)?, enrollment_token)
}

fn renew(
    service: &Service,
    database: &Connection,
    token: &PlainToken,
    username: Username,
) -> Result<Response, Failure> {
    let renewal = renew::decide(token, username, &mut service.randomness())?;
    let code = Code::draw(service, &renewal.draft.reveal_token)?;
    let issued = store::start::renew(database, &renewal)?.ok_or(Problem::TokenInvalid)?;
    code.answer(&renewal.username, issued, &renewal.draft.enrollment_token)
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
        issued: CodeIssued,
        enrollment_token: &PlainToken,
    ) -> Result<Response, Failure> {
        Response::created(&Answer {
            username: username.as_str(),
            reveal_url: &self.reveal_url,
            qr_svg: &self.qr_svg,
            expires_at: issued.reveal_expires_at.to_rfc3339(),
            enrollment_token: &enrollment_token.to_text(),
        })
    }
}
