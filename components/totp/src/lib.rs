//! Step 3 and 4 of the journey: a second factor, and the activation that proves both.
//!
//! One operation a file. What they have in common is in `domain`, `journey` and `edge`.

use edge::{Method, Route};

mod confirm;
mod enroll;

const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/api/totp", enroll::handle),
    Route::new(Method::Post, "/function/generate-2fa", enroll::handle),
    Route::new(Method::Post, "/api/totp/confirm", confirm::handle),
];

#[expect(unsafe_code, reason = "the macro writes the export that Spin calls")]
mod export {
    #[spin_sdk::http_component]
    async fn handle(request: spin_sdk::http::IncomingRequest) -> spin_sdk::http::Response {
        edge::serve("totp", request, super::ROUTES).await
    }
}
