//! `check`, straight to a server: what it finds to be in the way of the service, each thing by its name.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use std::{fs, thread};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::server::{Database, PASSWORD, Server, fails, succeeds};

impl Database {
    /// The components' connection to this database, at this address, as `make up` and `k3s/secrets` write it.
    pub(crate) fn dsn(&self, host: &str, port: &str, tls: &str) -> String {
        let (_, name) = self.url.rsplit_once('/').unwrap();
        let script = ". scripts/database.sh; application_dsn \"$PASSWORD\"";
        let output = Command::new("bash")
            .args(["-euc", script])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .envs([("DB_HOST", host), ("DB_PORT", port), ("DB_NAME", name), ("DB_TLS", tls)])
            .env("PASSWORD", utf8_percent_encode(PASSWORD, NON_ALPHANUMERIC).to_string())
            .output()
            .unwrap();
        succeeds(&output).trim_end().to_owned()
    }

    /// The port that its server listens on.
    pub(crate) fn port(&self) -> &str {
        let (address, _) = self.url.rsplit_once('/').unwrap();
        address.rsplit_once(':').unwrap().1
    }

    /// This database as whoever is not its superuser reaches it by another port.
    pub(crate) fn behind(&self, port: &str) -> Self {
        self.with_url(self.url.replace(&format!(":{}/", self.port()), &format!(":{port}/")))
    }

    fn check(&self) -> Output {
        check(&self.dsn("127.0.0.1", self.port(), "disable"), "")
    }
}

impl Server {
    /// Gives the server a certificate of this name, and returns the file of the authority that signed it.
    fn with_tls(&self, name: &str) -> String {
        let file = |name: &str| self.log.with_file_name(name).to_str().unwrap().to_owned();
        let (authority, authority_key) = (file("authority.crt"), file("authority.key"));
        let (certificate, key) = (file("leaf.crt"), file("leaf.key"));
        let openssl = |out: [&str; 2], arguments: &[&str]| {
            let output = Command::new("openssl")
                .args([
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-out", out[0], "-keyout",
                    out[1],
                ])
                .args(arguments)
                .output()
                .unwrap();
            succeeds(&output);
        };
        openssl([&authority, &authority_key], &["-subj", "/CN=authority"]);
        let (subject, alternative) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
        let signed_by = ["-CA", &authority, "-CAkey", &authority_key];
        let leaf =
            ["-subj", &subject, "-addext", &alternative, "-addext", "basicConstraints=critical,CA:FALSE"];
        openssl([&certificate, &key], &[signed_by.as_slice(), leaf.as_slice()].concat());
        for (from, to) in [(certificate, "server.crt"), (key, "server.key")] {
            // The server writes them itself, because they have to be its user's and nobody else's.
            let lines = fs::read_to_string(from).unwrap();
            let copy = format!(
                "COPY (SELECT unnest(string_to_array('{lines}', E'\n'))) TO PROGRAM 'umask 077; cat >{to}'"
            );
            self.superuser().batch_execute(&copy).unwrap();
        }
        self.superuser().batch_execute("ALTER SYSTEM SET ssl = on").unwrap();
        self.superuser().batch_execute("SELECT pg_reload_conf()").unwrap();
        authority
    }
}

/// `check` with the environment that it needs, and the authorities of a file.
pub(crate) fn check(dsn: &str, authority: &str) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_identity-ops"))
        .arg("check")
        .env_clear()
        .env("SPIN_VARIABLE_PG_DSN", dsn)
        .env("SSL_CERT_FILE", authority)
        .output()
        .unwrap();
    let said = crate::server::text(&output);
    let encoded = utf8_percent_encode(PASSWORD, NON_ALPHANUMERIC).to_string();
    assert!(!said.contains(PASSWORD) && !said.contains(&encoded), "{said}");
    output
}

/// What has to be said once `change` was made, and no more; then `back`.
#[track_caller]
fn finds(server: &Server, change: &str, expected: &str, back: &str) {
    server.superuser().batch_execute(change).unwrap();
    let said = fails(&server.check());
    assert!(said.contains(expected), "{change}: {said}");
    assert_eq!(said.lines().count(), 1, "{change}: {said}");
    server.superuser().batch_execute(back).unwrap();
}

#[test]
fn a_database_that_is_ready_passes_and_what_is_missing_is_said_by_its_name() {
    let server = Server::start("check");
    assert!(fails(&server.check()).contains("refuses the connection: password authentication failed"));
    succeeds(&server.ops("role"));
    assert!(fails(&server.check()).contains("identity-ops migrate"));
    succeeds(&server.ops("migrate"));
    let passes = "64 connections at once: each has a session of its own\nrelease 0.1.0 can work in them\n";
    assert_eq!(succeeds(&server.check()), passes.replace("0.1.0", env!("CARGO_PKG_VERSION")));

    for (setting, other) in [("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")] {
        finds(
            &server,
            &format!("ALTER ROLE cofrap_app SET {setting} = '{other}'"),
            &format!("{setting} is {other} and has to be 5s: identity-ops role sets it"),
            &format!("ALTER ROLE cofrap_app SET {setting} = '5s'"),
        );
    }
    finds(
        &server,
        "ALTER ROLE cofrap_app SET default_transaction_read_only = on",
        "the server takes no writes (cannot execute SELECT FOR NO KEY UPDATE in a read-only transaction (25006))",
        "ALTER ROLE cofrap_app RESET default_transaction_read_only",
    );
    finds(
        &server,
        "ALTER ROLE cofrap_app CONNECTION LIMIT 20",
        "44 of 64 connections got no session while the others were held (too many connections for role \"cofrap_app\" (53300))",
        "ALTER ROLE cofrap_app CONNECTION LIMIT -1",
    );
    finds(
        &server,
        "REVOKE USAGE ON SCHEMA identity FROM cofrap_app",
        "the application has no functions of release",
        "GRANT USAGE ON SCHEMA identity TO cofrap_app",
    );
    succeeds(&server.check());
}

#[test]
fn the_isolation_that_the_service_needs_is_the_roles_too_and_a_session_with_another_is_found() {
    let server = Server::start("check-isolation");
    server.migrated();
    let unpinned = server.dsn("127.0.0.1", server.port(), "disable");
    let (unpinned, _) = unpinned.split_once("&options=").unwrap();
    server
        .superuser()
        .batch_execute("ALTER DATABASE postgres SET default_transaction_isolation = 'serializable'")
        .unwrap();
    succeeds(&check(unpinned, ""));
    server.superuser().batch_execute("ALTER ROLE cofrap_app RESET default_transaction_isolation").unwrap();
    let said = fails(&check(unpinned, ""));
    assert!(
        said.contains("default_transaction_isolation is serializable and has to be read committed"),
        "{said}"
    );
    // What the DSN says comes before what the role does.
    succeeds(&server.check());
}

#[test]
fn a_server_that_takes_a_connection_and_says_nothing_is_given_up_in_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    thread::spawn(move || silent.incoming().collect::<Vec<_>>());
    #[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
    let begun = Instant::now();
    let dsn =
        format!("postgres://cofrap_app:secret@127.0.0.1:{port}/identity?sslmode=disable&connect_timeout=2");
    let said = fails(&check(&dsn, ""));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(said.contains("accepts the connection and then says nothing: no answer for 5 seconds"), "{said}");
}

#[test]
fn a_dsn_that_is_none_is_refused_and_nothing_of_it_is_shown() {
    for dsn in
        ["", "postgres://cofrap_app:hunter2@[broken", "postgres://cofrap_app@127.0.0.1/identity?hunter2=1"]
    {
        let said = fails(&check(dsn, ""));
        assert!(said.contains("SPIN_VARIABLE_PG_DSN is n") && !said.contains("hunter2"), "{said}");
    }
}

/// As Spin does it: `sslmode=require` checks chain and name.
#[test]
fn over_tls_the_certificate_has_to_be_of_a_known_authority_and_of_this_name() {
    let server = Server::start("check-tls");
    server.migrated();
    let authority = server.with_tls("localhost");
    let dsn = |host| server.dsn(host, server.port(), "require");
    succeeds(&check(&dsn("localhost"), &authority));
    let said = fails(&check(&dsn("127.0.0.1"), &authority));
    assert!(
        said.contains("no connection: error performing TLS handshake: invalid peer certificate"),
        "{said}"
    );
    let said = fails(&check(&dsn("localhost"), "/nonexistent"));
    assert!(said.contains("SSL_CERT_FILE"), "{said}");
}
