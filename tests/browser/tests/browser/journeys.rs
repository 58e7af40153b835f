//! What people do with the pages, from one end to the other.

mod bad_network;
mod dropped_tab;
mod first_visit;
mod in_english;
mod keyboard_only;
mod own_account;
mod renewal;
mod secrets;
mod two_screens;
