//! `POST /api/totp`: a TOTP secret, as an `otpauth` link, a QR code of it, and text. Asking again replaces it.

use edge::{Failure, Request, Response, Service};
use journey::enroll;
use serde::Serialize;

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
    let new = enroll::make(&database, &keys, &mut service.randomness(), &token)?;
    // Everything that could fail after the commit is made before it: a secret that was stored must be shown.
    let otpauth_uri = new.secret.otpauth_uri(&service.issuer()?, &new.start.username);
    let response = Response::created(&Answer {
        username: new.start.username.as_str(),
        secret: &new.secret.to_base32(),
        otpauth_uri: &otpauth_uri,
        qr_svg: edge::qr_svg(&otpauth_uri)?,
    })?;
    new.commit(&database)?;
    Ok(response)
}
