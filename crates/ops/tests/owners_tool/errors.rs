//! What an operator reads when PostgreSQL refuses.

use crate::server::{Database, PASSWORD, Server, fails, ops};

/// The whole message, without a line number of PostgreSQL's own source.
#[track_caller]
fn assert_said(said: &str, expected: &str) {
    assert_eq!(said, format!("identity-ops: {expected}\n"));
}

fn migrated(server: &Server) -> Database {
    let database = server.modest_database("modest");
    database.migrated();
    database
}

#[test]
fn what_postgresql_says_is_said_once_with_its_detail_and_its_hint() {
    let server = Server::start("errors");
    let nowhere = server.url.replace("/postgres", "/nowhere");
    assert_said(
        &fails(&ops("migrate", &nowhere, PASSWORD)),
        "PostgreSQL at DATABASE_URL cannot be used: database \"nowhere\" does not exist",
    );

    let database = migrated(&server);
    database
        .owner()
        .batch_execute(
            "CREATE FUNCTION identity.of_before() RETURNS boolean LANGUAGE sql AS 'SELECT true';
             INSERT INTO identity.release_function (release, name) VALUES ('0.0.1', 'of_before');
             CREATE VIEW identity.of_somebody AS SELECT identity.of_before()",
        )
        .unwrap();
    assert_said(
        &fails(&database.ops("migrate --retire-before 0.0.2")),
        "DROP FUNCTION identity.of_before: cannot drop function identity.of_before() because other objects depend on it\n\
         DETAIL: view identity.of_somebody depends on function identity.of_before()\n\
         HINT: Use DROP ... CASCADE to drop the dependent objects too.",
    );
}

/// It quotes the row, with names and hashes in it.
#[test]
fn a_detail_that_quotes_a_row_is_left_out() {
    let server = Server::start("errors-of-rows");
    let database = migrated(&server);
    let constraint =
        "ALTER TABLE identity.release_function ADD CONSTRAINT somebodys CHECK (name = 'other') NOT VALID";
    database.owner().batch_execute(constraint).unwrap();
    assert_said(
        &fails(&database.ops("migrate")),
        "new row for relation \"release_function\" violates check constraint \"somebodys\"",
    );
}

#[test]
fn an_error_inside_a_migration_is_said_once() {
    let server = Server::start("errors-of-migrations");
    let database = server.modest_database("modest");
    database.ops("role");
    let in_the_way = "CREATE SCHEMA identity; CREATE TABLE identity.account ()";
    database.owner().batch_execute(in_the_way).unwrap();
    assert_said(
        &fails(&database.ops("migrate")),
        "the migrations stopped: while executing migration 1: relation \"account\" already exists",
    );
}
