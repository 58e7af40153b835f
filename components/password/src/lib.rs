//! Step 1 and 2 of the journey: a username becomes a code, and the code, once, a password.
//!
//! One operation a file. What they have in common is in `domain`, `journey` and `edge`.

use edge::{Method, Route};

mod poll;
mod reveal;
mod start;

const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/api/password", start::handle),
    Route::new(Method::Post, "/function/generate-password", start::handle),
    Route::new(Method::Get, "/api/password", poll::handle),
    Route::new(Method::Post, "/api/password/reveal", reveal::handle),
];

#[expect(unsafe_code, reason = "the macro writes the export that Spin calls")]
mod export {
    #[spin_sdk::http_component]
    async fn handle(request: spin_sdk::http::IncomingRequest) -> spin_sdk::http::Response {
        edge::serve("password", request, super::ROUTES).await
    }
}
