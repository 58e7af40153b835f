//! `POST /api/totp`: a TOTP secret, as an `otpauth` link, a QR code of it, and text. Asking again replaces it.

use domain::TotpSecret;
use domain::journey::OpenStart;
use domain::journey::enroll::{self, Outcome};
use edge::{Failure, Problem, Request, Response, Service};
use serde::Serialize;
use store::event::{self, Refusal};

#[derive(Serialize)]
struct Answer<'a> {
    username: &'a str,
    secret: &'a str,
    otpauth_uri: &'a str,
    qr_svg: String,
}

pub(crate) fn handle(service: &Service, request: &Request) -> Result<Response, Failure> {
    let token = request.required_bearer()?;
    request.no_body()?;
    let keys = service.keys()?;
    let database = service.database()?;
    let Some(start) = store::start::load(&database, &token.hash())? else {
        event::record(&database, Refusal::EnrollTokenInvalid, None)?;
        return Err(Problem::TokenInvalid.into());
    };
    if enroll::decide(&start).is_err() {
        event::record(&database, Refusal::EnrollPasswordNotRevealed, Some(start.account_id))?;
        return Err(Problem::PasswordNotRevealed.into());
    }
    let new_secret = enroll::make_secret(&start, &keys, &mut service.randomness())?;
    let response = answer(service, &start, &new_secret.secret)?;
    match store::enroll::commit(&database, &start, &new_secret)? {
        Outcome::Issued => Ok(response),
        Outcome::Superseded => Err(Problem::Superseded.into()),
        Outcome::Ended => Err(Problem::TokenInvalid.into()),
    }
}

fn answer(service: &Service, start: &OpenStart, secret: &TotpSecret) -> Result<Response, Failure> {
    let otpauth_uri = secret.otpauth_uri(&service.issuer()?, &start.username);
    Response::created(&Answer {
        username: start.username.as_str(),
        secret: &secret.to_base32(),
        otpauth_uri: &otpauth_uri,
        qr_svg: edge::qr_svg(&otpauth_uri)?,
    })
}
