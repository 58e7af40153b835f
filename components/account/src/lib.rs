//! What an account is to its owner: login, the sessions and the account itself. Also the health of the service, and the
//! `404` of every address of the API that is nobody's.
//!
//! One address a file. What they have in common is in `domain`, `journey` and `edge`.

use edge::{Method, Route};

mod account;
mod health;
mod login;
mod session;

const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/api/login", login::handle),
    Route::new(Method::Post, "/function/authenticate-user", login::handle),
    Route::new(Method::Get, "/api/session", session::show),
    Route::new(Method::Delete, "/api/session", session::end),
    Route::new(Method::Get, "/api/sessions", session::list),
    Route::new(Method::Delete, "/api/sessions/{id}", session::end_own),
    Route::new(Method::Get, "/api/account", account::show),
    Route::new(Method::Delete, "/api/account", account::delete),
    Route::new(Method::Get, "/api/health", health::handle),
];

#[expect(unsafe_code, reason = "the macro writes the export that Spin calls")]
mod export {
    #[spin_sdk::http_component]
    async fn handle(request: spin_sdk::http::IncomingRequest) -> spin_sdk::http::Response {
        edge::serve("account", request, super::ROUTES).await
    }
}
