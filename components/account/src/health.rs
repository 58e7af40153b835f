//! `GET /api/health`: whether a request could be served now. It changes nothing and tells nothing else.

use edge::{Failure, Request, Response, Service};
use serde::Serialize;

#[derive(Serialize)]
struct Answer<'a> {
    status: &'a str,
}

pub(crate) fn handle(service: &Service, _request: &Request) -> Result<Response, Failure> {
    service.keys()?;
    service.public_url()?;
    service.issuer()?;
    journey::health::check(&service.database()?, || service.own_time())?;
    Ok(Response::ok(&Answer { status: "ok" })?)
}
