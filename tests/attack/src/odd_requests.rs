//! Requests made from `static/openapi.yaml`: for every operation what it asks for, and what nobody sane would send.

use std::fmt;
use std::sync::LazyLock;

use harness::client::SESSION_COOKIE;
use harness::contract::Contract;
use harness::journey::Account;
use harness::shared::Running;
use harness::{Answer, Client};
use serde_json::{Map, Value, json};

use crate::Seeded;

/// A body may have 4 KiB.
const BODY_MAX: usize = 4096;
/// Of a body that is too long a server reads so much at least; beyond, it may close before it has answered.
const BODY_ODD_MAX: usize = 60_000;

/// What a client could have in hand: good and dead tokens of each purpose, names, passwords, codes.
pub struct Wallet {
    tokens: Vec<String>,
    names: Vec<String>,
    passwords: Vec<String>,
    codes: Vec<String>,
}

impl Wallet {
    /// Fills one with an account of every state, each with its tokens.
    #[must_use]
    pub fn fill(running: &Running) -> Self {
        let (active, expired) = (running.account("odd"), running.account("odd-old"));
        let renewal = running.renewal_token(&expired);
        let spare = running.renewal_token(&expired);
        let renewing = running.client.start_with(&expired.username, &spare);
        let started = running.client.start(&running.username("odd-start"));
        let half = running.client.start(&running.username("odd-half"));
        let password = running.client.password(&half.reveal);
        let phone = running.client.enrolled(&half.enrollment).authenticator;
        let code = |account: &Account| running.fresh_code(account);
        Self {
            codes: vec![code(&active), code(&expired), phone.code_at(running.database.now())],
            tokens: vec![
                active.session,
                active.start.enrollment,
                renewal,
                renewing.enrollment,
                renewing.reveal,
                started.enrollment,
                started.reveal,
                half.enrollment,
                half.reveal,
            ],
            names: vec![active.username, expired.username, started.username, half.username],
            passwords: vec![active.password, expired.password, password],
        }
    }
}

/// A request, ready to be sent.
pub struct OddRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl fmt::Debug for OddRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} {}", self.method, self.path)?;
        for (name, value) in &self.headers {
            writeln!(formatter, "{name}: {value}")?;
        }
        let shown = &self.body[..self.body.len().min(BODY_MAX)];
        writeln!(formatter, "\n{} ({} bytes)", shown.escape_ascii(), self.body.len())
    }
}

impl OddRequest {
    /// Makes one for some operation of the document.
    #[must_use]
    pub fn make(seeded: &mut Seeded, wallet: &Wallet) -> Self {
        static OPERATIONS: LazyLock<Vec<(String, String, Value)>> =
            LazyLock::new(|| Contract::get().operations());
        let (path, method, operation) = seeded.one(&OPERATIONS);
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let mut request = Self {
            method: odd_method(seeded, method),
            path: odd_path(seeded, path),
            headers: Vec::new(),
            body: if schema.is_object() || seeded.once_in(8) {
                odd_body(seeded, wallet, schema)
            } else {
                Vec::new()
            },
        };
        if !request.body.is_empty() || seeded.once_in(8) {
            request.add("content-type", odd_content_type(seeded));
        }
        request.add_credentials(seeded, wallet);
        request.add_strange_headers(seeded);
        request
    }

    /// Sends it. The answer is held against the document.
    #[must_use]
    pub fn send(&self, client: &Client) -> Answer {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        client.raw(&self.method, &self.path, &headers, &self.body)
    }

    fn add(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    fn add_credentials(&mut self, seeded: &mut Seeded, wallet: &Wallet) {
        if !seeded.once_in(3) {
            self.add("authorization", format!("Bearer {}", seeded.one(&wallet.tokens)));
        }
        if seeded.once_in(6) {
            let text = odd_text(seeded);
            let value = seeded
                .one(&["Bearer", "Basic YTpi", "Bearer ", "bearer x", "Bearer a b", "Bearer ==", &text])
                .to_string();
            self.add("authorization", header_value(&value));
        }
        if seeded.once_in(2) {
            self.add("cookie", format!("{SESSION_COOKIE}={}", seeded.one(&wallet.tokens)));
        }
        if seeded.once_in(6) {
            let text = odd_text(seeded);
            let cookies = [SESSION_COOKIE, "=", ";;;=;", "a=b; __Host-session=", "__host-session=x", &text];
            self.add("cookie", header_value(seeded.text(&cookies)));
        }
    }

    fn add_strange_headers(&mut self, seeded: &mut Seeded) {
        let strange = [
            ("origin", "https://evil.test"),
            ("origin", "https://identity.test"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "nonsense"),
            ("x-forwarded-for", "203.0.113.7"),
            ("forwarded", "for=203.0.113.7;host=evil.test;proto=http"),
            ("x-forwarded-host", "evil.test"),
            ("x-http-method-override", "DELETE"),
            ("x-original-url", "/api/health"),
            ("spin-path-info", "/api/health"),
            ("spin-full-url", "http://evil.test/api/health"),
            ("spin-client-addr", "203.0.113.7:1"),
            ("accept", "text/html"),
            ("accept-encoding", "gzip, br"),
            ("accept-language", "\u{e9}"),
            ("range", "bytes=0-1"),
            ("if-none-match", "*"),
            ("if-match", "\"x\""),
            ("content-encoding", "gzip"),
            ("date", "Mon, 01 Jan 2035 00:00:00 GMT"),
            ("te", "trailers"),
            ("upgrade-insecure-requests", "1"),
        ];
        while seeded.once_in(3) {
            let (name, value) = seeded.one(&strange);
            self.add(name, *value);
        }
    }
}

fn odd_method(seeded: &mut Seeded, method: &str) -> String {
    let others =
        ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "get", "X", "PROPFIND"];
    if seeded.once_in(10) { seeded.text(&others).to_owned() } else { method.to_owned() }
}

/// The path of an operation, its parameters filled in, sometimes with something before, after or inside it. It stays
/// below the API's addresses.
fn odd_path(seeded: &mut Seeded, path: &str) -> String {
    let parameters = ["00000000-0000-4000-8000-000000000000", "x", "%00", "..", "%2e%2e", "1"];
    let segment = |segment: &str, seeded: &mut Seeded| match segment.starts_with('{') {
        true => seeded.text(&parameters).to_owned(),
        false => segment.to_owned(),
    };
    let filled: Vec<String> = path.split('/').map(|part| segment(part, seeded)).collect();
    let mut path = filled.join("/");
    if seeded.once_in(12) {
        let endings = ["/", "//", "/x", "/..", "%2f", "%00", ";x=1", "%20", ".json", "/%2e%2e/login"];
        path.push_str(seeded.text(&endings));
    }
    if seeded.once_in(8) {
        let queries = ["?", "?x=1", "?token=AAAA", "?%00", "??", "?username=x&username=y", "?{}"];
        path.push_str(seeded.text(&queries));
    }
    path
}

fn odd_content_type(seeded: &mut Seeded) -> String {
    let others = [
        "",
        "text/plain",
        "application/json; charset=utf-8",
        "application/json;charset=latin1",
        "APPLICATION/JSON",
        "application/json, text/plain",
        "application/jsonp",
        "multipart/form-data; boundary=x",
        "application/json; \u{e9}",
    ];
    if seeded.once_in(6) { seeded.text(&others).to_owned() } else { "application/json".to_owned() }
}

fn odd_body(seeded: &mut Seeded, wallet: &Wallet, schema: &Value) -> Vec<u8> {
    let mut fields = fitting(seeded, wallet, schema);
    match seeded.below(20) {
        0..8 => {}
        8..12 => spoil(seeded, &mut fields),
        12 => drop(remove_one(seeded, &mut fields)),
        13 => drop(fields.insert(odd_text(seeded), odd_value(seeded))),
        14 => {
            if let Some((name, value)) = remove_one(seeded, &mut fields) {
                fields.insert(name.to_uppercase(), value);
            }
        }
        15 => return odd_value(seeded).to_string().into_bytes(),
        16 => return odd_bytes(seeded),
        17 => return twisted(seeded, &json!(fields).to_string()),
        18 => return padded(seeded, &json!(fields).to_string()),
        _ => return Vec::new(),
    }
    json!(fields).to_string().into_bytes()
}

/// An object that the schema allows, from what the client has in hand.
fn fitting(seeded: &mut Seeded, wallet: &Wallet, schema: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, of_field) in schema["properties"].as_object().into_iter().flatten() {
        let kind = of_field["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let value = match kind {
            "TypedUsername" | "Username" => {
                let fresh = format!("odd.{:x}", seeded.number());
                if seeded.once_in(2) { fresh } else { seeded.one(&wallet.names).clone() }
            }
            "TypedPassword" | "Password" => seeded.one(&wallet.passwords).clone(),
            "Code" => seeded.one(&wallet.codes).clone(),
            "Token" => seeded.one(&wallet.tokens).clone(),
            _ => odd_text(seeded),
        };
        fields.insert(name.clone(), json!(value));
    }
    fields
}

/// Puts something odd into one field: another type, or what its present value is not quite.
fn spoil(seeded: &mut Seeded, fields: &mut Map<String, Value>) {
    let Some((name, value)) = remove_one(seeded, fields) else { return };
    let text = value.as_str().unwrap_or_default();
    let odd = match seeded.below(8) {
        0 => odd_value(seeded),
        1 => json!(text.to_uppercase()),
        2 => json!(format!(" {text}\t")),
        3 => json!(text.chars().rev().collect::<String>()),
        4 => json!(text.get(1..)),
        5 => json!(text.repeat(1 + seeded.below(9))),
        6 => json!(text.replace('k', "\u{212a}").replace('i', "\u{130}").replace('1', "\u{ff11}")),
        _ => json!(format!("{}{text}{}", odd_text(seeded), odd_text(seeded))),
    };
    fields.insert(name, odd);
}

fn remove_one(seeded: &mut Seeded, fields: &mut Map<String, Value>) -> Option<(String, Value)> {
    let names: Vec<String> = fields.keys().cloned().collect();
    if names.is_empty() {
        return None;
    }
    fields.remove_entry(seeded.one(&names).as_str())
}

fn odd_value(seeded: &mut Seeded) -> Value {
    match seeded.below(10) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(seeded.number()),
        3 => json!(-1),
        4 => json!(1e308),
        5 => json!([]),
        6 => json!({}),
        7 => json!([odd_text(seeded)]),
        8 => (0..seeded.below(300)).fold(json!(1), |inner, _| json!([inner])),
        _ => json!(odd_text(seeded)),
    }
}

fn odd_text(seeded: &mut Seeded) -> String {
    let texts = [
        "",
        " ",
        "\0",
        "\r\nx: y",
        "' OR 1=1 --",
        "<script>",
        "${jndi:x}",
        "%s%n",
        "../../etc/passwd",
        "\u{feff}name",
        "\u{85}name\u{3000}",
        "\u{200b}",
        "e\u{301}ve",
        "\u{ff21}da",
        "\u{212a}ate",
        "\u{130}vy",
        "\u{10ffff}",
        "123456",
        "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}",
        "null",
        "__proto__",
    ];
    match seeded.below(4) {
        0 => {
            let length = *seeded.one(&[1, 2, 3, 42, 43, 44, 63, 64, 65, 255, 4000]);
            let letter = *seeded.one(&['a', 'Z', '0', '-', '.', 'é']);
            letter.to_string().repeat(length)
        }
        1 => (0..seeded.below(30)).map(|_| char::from(b' ' + seeded.below(95) as u8)).collect(),
        _ => seeded.text(&texts).to_owned(),
    }
}

fn odd_bytes(seeded: &mut Seeded) -> Vec<u8> {
    (0..seeded.below(64)).map(|_| seeded.below(256) as u8).collect()
}

/// JSON that parsers disagree about, or that is none.
fn twisted(seeded: &mut Seeded, json: &str) -> Vec<u8> {
    let inner = json.trim_start_matches('{').trim_end_matches('}');
    let twisted = match seeded.below(9) {
        0 => format!("{{{inner},{inner}}}"),
        1 => format!("{json}{json}"),
        2 => format!("{{{inner},}}"),
        3 => json.replace('"', "'"),
        4 => json.replacen(':', ":\"\\ud800\",\"x\":", 1),
        5 => format!("\u{feff}{json}"),
        6 => format!("/**/{json}"),
        7 => json.replacen(':', ":1e999,\"x\":", 1),
        _ => json.chars().take(seeded.below(json.chars().count() + 1)).collect(),
    };
    let mut bytes = twisted.into_bytes();
    if seeded.once_in(3) && !bytes.is_empty() {
        let position = seeded.below(bytes.len());
        bytes[position] = seeded.below(256) as u8;
    }
    bytes
}

/// The same with space around it, up to and beyond what a body may have.
fn padded(seeded: &mut Seeded, json: &str) -> Vec<u8> {
    let lengths = [BODY_MAX - 1, BODY_MAX, BODY_MAX + 1, 2 * BODY_MAX, BODY_ODD_MAX];
    let missing = seeded.one(&lengths).saturating_sub(json.len());
    format!("{json}{}", " ".repeat(missing)).into_bytes()
}

/// What may stand in a header: no line breaks and no other control characters, which no client could send.
fn header_value(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(1000).collect()
}
