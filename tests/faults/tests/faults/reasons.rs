//! Why there is no connection is said in a line of the log, by a sentence that says what to do and names nothing.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use faults::assert_back;
use harness::App;
use harness::app::Config;
use harness::database::{APPLICATION_PASSWORD, APPLICATION_ROLE, application_dsn};
use harness::shared::Running;
use postgres::{Client, NoTls};

use crate::database::{alone, site};

/// What the owner of a server can do to the service, what mends it, and what of the sentence tells it from the others.
#[test]
fn what_an_owner_took_away_is_named_in_the_log_by_what_mends_it() {
    let _turn = alone();
    let (server, running) = site("reasons");
    let database = running.database.name();
    let role = APPLICATION_ROLE;
    let breaks = [
        (format!("ALTER ROLE {role} NOLOGIN"), format!("ALTER ROLE {role} LOGIN"), "NOLOGIN"),
        (
            format!("REVOKE CONNECT ON DATABASE {database} FROM PUBLIC, {role}"),
            format!("GRANT CONNECT ON DATABASE {database} TO {role}"),
            "may not CONNECT",
        ),
        (
            format!("ALTER ROLE {role} PASSWORD 'another-than-the-service-has'"),
            format!("ALTER ROLE {role} PASSWORD '{APPLICATION_PASSWORD}'"),
            "refused the password",
        ),
        (
            format!("ALTER ROLE {role} CONNECTION LIMIT 0"),
            format!("ALTER ROLE {role} CONNECTION LIMIT -1"),
            "CONNECTION LIMIT of the role",
        ),
        (
            format!("ALTER DATABASE {database} CONNECTION LIMIT 0"),
            format!("ALTER DATABASE {database} CONNECTION LIMIT -1"),
            "CONNECTION LIMIT of the database",
        ),
        (
            format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"),
            format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true"),
            "takes no connections",
        ),
        (
            format!("ALTER DATABASE {database} RENAME TO elsewhere"),
            format!("ALTER DATABASE elsewhere RENAME TO {database}"),
            "no such database",
        ),
    ];
    for (take_away, give_back, sentence) in breaks {
        let mut owner = Client::connect(server.url(), NoTls).unwrap();
        let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1";
        // A database is renamed when nobody is in it; all else counts for new connections.
        owner.execute(end, &[&database]).unwrap();
        owner.batch_execute(&take_away).unwrap();
        owner.execute(end, &[&database]).unwrap();
        assert_told(&running, sentence);
        owner.batch_execute(&give_back).unwrap();
        assert_back(&running);
    }
    server.stop();
    assert_told(&running, "connection refused");
    server.start_again();
    assert_back(&running);

    let log = running.app.log();
    for name in ["left out", APPLICATION_ROLE, database] {
        assert!(!log.contains(name), "{name} is in the log:\n{log}");
    }
}

fn assert_told(running: &Running, sentence: &str) {
    assert!(!running.app.log().contains(sentence), "{sentence:?} was told before");
    running.client.get("/api/health").send().refused(503, "unavailable");
    running.app.expect_log(sentence);
}

#[test]
fn a_connection_string_that_leads_nowhere_is_named_in_the_log_by_what_is_wrong_with_it() {
    let _turn = alone();
    let other = somebody_else("HTTP/1.1 400 Bad Request\r\n\r\n");
    let silent = somebody_else("");
    let here = |port| application_dsn("127.0.0.1", port, "identity");
    for (dsn, host, port, sentence) in [
        (application_dsn("nowhere.invalid", 5432, "identity"), "nowhere.invalid", 5432, "does not resolve"),
        (here(other), "127.0.0.1", other, "is no PostgreSQL"),
        (here(silent), "127.0.0.1", silent, "the connection broke"),
        (here(5432), "127.0.0.1", 5433, "allowed_outbound_hosts"),
        ("postgres://cofrap_app:s3cret@[broken".to_owned(), "127.0.0.1", 5432, "no connection string"),
        ("host=127.0.0.1 user=cofrap_app sslmode=require".to_owned(), "127.0.0.1", 5432, "without TLS"),
    ] {
        let app = App::with(&Config::with_dsn(&dsn, host, port));
        app.client().get("/api/health").send().refused(503, "unavailable");
        app.expect_log(sentence);
    }
}

/// Listens, says this to whoever comes, and hangs up.
fn somebody_else(says: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // All of the greeting: what is left unread would end the connection with a reset.
            if stream.read(&mut [0; 1024]).is_ok_and(|length| length > 0) {
                stream.write_all(says.as_bytes()).ok();
            }
        }
    });
    port
}
