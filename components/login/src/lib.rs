//! Login and what it opens, the health of the service, and the `404` of every address of the API that is nobody's.
//!
//! One operation a file. What they have in common is in `domain`, `store` and `edge`.

use edge::{Method, Route};

mod health;
mod login;
mod session;

const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/api/login", login::handle),
    Route::new(Method::Post, "/function/authenticate-user", login::handle),
    Route::new(Method::Get, "/api/session", session::show),
    Route::new(Method::Delete, "/api/session", session::end),
    Route::new(Method::Get, "/api/health", health::handle),
];

#[expect(unsafe_code, reason = "the macro writes the export that Spin calls")]
mod export {
    #[spin_sdk::http_component]
    async fn handle(request: spin_sdk::http::IncomingRequest) -> spin_sdk::http::Response {
        edge::serve("login", request, super::ROUTES).await
    }
}
