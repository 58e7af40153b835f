//! The pages: serves the folder `static/`, which Spin mounts at `/`, with the headers that protect it.
//!
//! Owns: which path names which file, content negotiation, revalidation, and the security headers of every
//! answer that is not the API's. Leaves to others: everything under `/api` and `/function`, which Spin routes
//! to other components before this one is asked.
//!
//! All of it is a function from a request and a way to read files to an answer ([`answer::answer`]), so that it
//! is tested natively. Only [`handler`] knows Spin.
//!
//! What it does not do: ranges, directory listings, caching between requests (every request has an instance of
//! its own), and guessing the type of a file whose extension it does not know.

mod answer;
mod encoding;
mod entity_tag;
#[cfg(test)]
mod fuzz;
#[expect(unsafe_code, reason = "the macro writes the export that Spin calls")]
mod handler;
mod media_type;
mod resolve;
mod security_headers;
