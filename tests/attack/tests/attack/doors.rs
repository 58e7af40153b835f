//! Doors that are not on the plan, and what may not come out of those that are.

use std::collections::BTreeSet;

use attack::size::{figure, progress};
use attack::{Arena, Isolation, Size, arena};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use harness::contract::Contract;
use harness::dump::gives_away;
use harness::journey::text;
use serde_json::json;

#[test]
fn nothing_is_found_that_nobody_serves() {
    let client = arena(Isolation::AsShipped).client(0);
    let candidates = [
        "/.git/config",
        "/.git/HEAD",
        "/.env",
        "/.htaccess",
        "/spin.toml",
        "/Cargo.toml",
        "/account.wasm",
        "/migrations/0001_identity.sql",
        "/admin",
        "/debug",
        "/metrics",
        "/status",
        "/server-status",
        "/actuator/env",
        "/phpinfo.php",
        "/wp-login.php",
        "/swagger",
        "/graphql",
        "/static/login.html",
        "/api/debug",
        "/api/users",
        "/api/accounts",
        "/api/admin",
        "/api/config",
        "/api/version",
        "/api/password/reset",
        "/function/",
        "/function/admin",
        "/system/functions",
    ];
    for path in candidates {
        for method in ["GET", "POST"] {
            let answer = client.request(method, path).send();
            assert!([404, 405].contains(&answer.status), "{method} {path}: {answer:?}");
            assert!(answer.header("server").is_none() && answer.header("x-powered-by").is_none());
            assert!(!answer.text().contains(env!("CARGO_PKG_VERSION")), "{path} tells a version");
        }
    }
    figure(&format!("{} addresses", candidates.len()));
}

#[test]
fn a_fresh_database_has_no_account() {
    let arena = Arena::start(Isolation::AsShipped);
    assert_eq!(arena.database().rows_without_events(), 0);
    for name in ["admin", "root", "test", "user", "administrator", "guest", "cofrap"] {
        let answer = arena.client(0).login(name, "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!", "000000");
        answer.refused(401, "invalid_credentials");
    }
}

#[test]
fn what_postgresql_says_about_an_error_reaches_no_client() {
    let arena = Arena::start(Isolation::AsShipped);
    let account = arena.running.account("faulty");
    // A trigger that fails as PostgreSQL itself might, with a word in every field that an error has.
    let states = [
        "23505", "23503", "23514", "22001", "22P02", "40001", "40P01", "42501", "42P01", "53200", "53300",
        "57014", "57P01", "P0001", "XX000",
    ];
    for state in states {
        let trigger = format!(
            "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING \
             ERRCODE = '{state}', MESSAGE = 'canary', DETAIL = 'canary', HINT = 'canary', TABLE = 'canary', \
             CONSTRAINT = 'canary', COLUMN = 'canary', SCHEMA = 'canary'; END $$; \
             DROP TRIGGER IF EXISTS fail ON event; \
             CREATE TRIGGER fail BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION fail()"
        );
        arena.database().owner().batch_execute(&trigger).unwrap();
        let client = arena.client(0);
        let answers = [
            client.start_request("a-new-name").send(),
            client.login("nobody", &account.password, "123456"),
            client.login(&account.username, &account.password, &arena.running.wrong_code(&account)),
            client.reveal(&account.start.reveal),
            client.session(&account.start.enrollment),
        ];
        for answer in answers {
            answer.refused(503, "unavailable");
            assert!(!format!("{answer:?}").contains("canary"), "{state}: {answer:?}");
        }
    }
    arena.database().owner().batch_execute("DROP TRIGGER fail ON event").unwrap();
    assert_eq!(arena.database().standing(&account.username).wrong_codes, 0, "nothing was half done");
    assert_eq!(arena.database().standing("a-new-name"), harness::rows::Standing::default());
    assert_eq!(arena.running.login(&account).status, 200);
    figure(&format!("{} errors", states.len()));
}

#[test]
fn no_token_no_secret_and_no_password_is_ever_given_twice() {
    let arena = arena(Isolation::AsShipped);
    let count = Size::of_this_run().pick(20, 1000);
    let mut seen = BTreeSet::new();
    let mut once = |value: String| assert!(seen.insert(value), "given twice");
    for number in 0..count {
        let account = arena.running.account("once");
        let login = arena.running.login(&account);
        for token in [&account.start.enrollment, &account.start.reveal, &account.session, &login.session()] {
            assert_eq!(BASE64URL_NOPAD.decode(token.as_bytes()).unwrap().len(), 32, "256 bits");
            once(token.clone());
        }
        assert_eq!(BASE32_NOPAD.decode(account.secret.as_bytes()).unwrap().len(), 20, "160 bits");
        once(account.secret.clone());
        once(account.password.clone());
        once(text(&account.start.body, "qr_svg"));
        if number % 100 == 99 {
            progress(&format!("{} of {count} accounts", number + 1));
        }
    }
    figure(&format!("{count} accounts, {} secrets", seen.len()));
}

#[test]
fn no_operation_shows_a_password_or_a_secret_a_second_time() {
    let running = &arena(Isolation::AsShipped).running;
    let account = running.account("shown");
    let session = running.login(&account).session();
    let tokens = [&session, &account.start.enrollment, &account.start.reveal];
    let bodies = [
        json!({}),
        json!({ "username": account.username }),
        json!({ "token": account.start.reveal }),
        json!({ "password": account.password, "code": "123456" }),
    ];
    for (path, method, _) in Contract::get().operations().iter().filter(|(_, method, _)| method != "DELETE") {
        for (token, body) in tokens.iter().flat_map(|token| bodies.iter().map(move |body| (token, body))) {
            let request = running.client.request(method, path).bearer(token).session(token);
            let request = if method == "GET" { request } else { request.json(body) };
            let answer = request.send();
            for secret in [&account.password, &account.secret, &session] {
                assert!(!gives_away(answer.text(), secret), "{method} {path}: {answer:?}");
            }
        }
    }
    assert_eq!(running.login(&account).status, 200);
}

#[test]
fn password_managers_and_the_clipboard_may_fill_every_field() {
    let client = arena(Isolation::AsShipped).client(0);
    let mut passwords = 0;
    for page in ["/create", "/login"] {
        let html = client.get(page).send();
        assert_eq!(html.status, 200, "{page}");
        for input in html.text().split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let has = |name: &str, value: &str| input.contains(&format!("{name}=\"{value}\""));
            let is_password = has("id", "password") || has("id", "confirm-password");
            let filled_as_password =
                has("autocomplete", "current-password") || has("autocomplete", "new-password");
            assert_eq!(is_password, filled_as_password && has("type", "password"), "{page}: {input}");
            assert_eq!(has("id", "code"), has("autocomplete", "one-time-code"), "{page}: {input}");
            assert!(!has("autocomplete", "off") && !input.contains("maxlength"), "{page}: {input}");
            passwords += usize::from(is_password);
        }
    }
    assert_eq!(passwords, 2, "the pages' password fields are found");
    for script in std::fs::read_dir(harness::workspace::root().join("static/js")).unwrap() {
        let path = script.unwrap().path();
        let script = std::fs::read_to_string(&path).unwrap();
        for handler in ["onpaste", "\"paste\"", "'paste'"] {
            assert!(!script.contains(handler), "{}: nobody is kept from pasting", path.display());
        }
    }
}
