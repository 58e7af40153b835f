//! The server's connections: what the application may take of them.

use crate::server::{Database, PASSWORD, Server, succeeds};

/// Restarts the server with this many.
fn allow(server: &Server, connections: u32) {
    let statement = format!("ALTER SYSTEM SET max_connections = {connections}");
    server.superuser().batch_execute(&statement).unwrap();
    server.restart();
}

/// Opens connections as the application until there is none more, and returns how many there were while `meanwhile` ran.
fn take_all(database: &Database, meanwhile: impl FnOnce()) -> usize {
    let mut taken = Vec::new();
    let refused = loop {
        match database.application(PASSWORD) {
            Ok(connection) => taken.push(connection),
            Err(refused) => break refused,
        }
    };
    let refused = refused.as_db_error().unwrap();
    assert_eq!(refused.message(), "too many connections for role \"cofrap_app\"");
    assert_eq!(refused.code().code(), "53300", "which the service answers with a 503");
    meanwhile();
    taken.len()
}

#[test]
fn an_application_that_takes_all_connections_leaves_its_owner_enough() {
    let server = Server::start("connections");
    let database = server.modest_database("modest");
    allow(&server, 20);
    // Three of PostgreSQL's own for superusers, and ten.
    let said = succeeds(&database.ops("role"));
    let too_few = "cofrap_app may open 7 connections at once, and one process of the service up to 64: raise max_connections (20)\n";
    assert!(said.ends_with(too_few), "{said}");
    succeeds(&database.ops("migrate"));
    let taken = take_all(&database, || {
        for command in ["purge", "role", "migrate"] {
            succeeds(&database.ops(command));
        }
    });
    assert_eq!(taken, 7);

    allow(&server, 90);
    assert!(!succeeds(&database.ops("role")).contains("max_connections"));
    assert_eq!(take_all(&database, || ()), 77);
}
