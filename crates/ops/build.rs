//! Rebuilds the tool when a migration changes: `sqlx::migrate!` cannot say so itself on stable Rust.
fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
