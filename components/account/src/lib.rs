//! What an account is to its owner: login, the sessions and the account itself. Also the health of the service, and the
//! `404` of every address of the API that is nobody's.
//!
//! One operation a file. What they have in common is in `domain`, `store` and `edge`.

use edge::{Method, Route};

mod account;
mod deletion;
mod health;
mod login;
mod session;
mod sessions;

const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/api/login", login::handle),
    Route::new(Method::Post, "/function/authenticate-user", login::handle),
    Route::new(Method::Get, "/api/session", session::show),
    Route::new(Method::Delete, "/api/session", session::end),
    Route::new(Method::Get, "/api/sessions", sessions::list),
    Route::new(Method::Delete, "/api/sessions/{id}", sessions::end),
    Route::new(Method::Get, "/api/account", account::show),
    Route::new(Method::Delete, "/api/account", deletion::handle),
    Route::new(Method::Get, "/api/health", health::handle),
];

#[expect(unsafe_code, reason = "the macro writes the export that Spin calls")]
mod export {
    #[spin_sdk::http_component]
    async fn handle(request: spin_sdk::http::IncomingRequest) -> spin_sdk::http::Response {
        edge::serve("account", request, super::ROUTES).await
    }
}
