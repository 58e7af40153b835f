//! What a release consists of and how it is made: the lock file, the image of the jobs, the components' bytes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a check that cannot read the tree has failed")]

mod components;
mod containerfile;
mod image;
mod lock_file;
mod push;
mod release;
