//! Everything Spin-shaped, once, for the three components of the API: requests and responses, errors and how they are
//! told, routing, variables, randomness, the connection to the database, QR codes.
//!
//! Handlers are `fn(&Service, &Request) -> Result<Response, Failure>`; [`serve`] does the rest: it finds the route,
//! refuses what comes from another site, reads the body, calls the handler, writes the log line and the headers.
//!
//! What this crate does not do: judge (that is `domain`), decide or speak SQL (that is `journey`), know one operation of the API
//! from another (that is the components). What touches Spin is thin; the decisions are functions that run natively.

mod clock;
mod connection;
mod cookie;
mod cross_site;
mod failure;
mod fault;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod log;
mod postgres_error;
mod problem;
mod public_url;
mod qr;
mod randomness;
mod request;
mod response;
mod route;
mod service;
mod variable;

pub use connection::Connection;
pub use failure::Failure;
pub use fault::Fault;
pub use problem::{Problem, table};
pub use public_url::{InvalidPublicUrl, PublicUrl};
pub use qr::qr_svg;
pub use randomness::OperatingSystemRandomness;
pub use request::{Method, Request};
pub use response::Response;
pub use route::{Handler, Route, serve};
pub use service::Service;
