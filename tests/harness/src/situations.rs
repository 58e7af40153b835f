//! Every operation of the document, with its entry in the table of situations (`situations.yaml`): in which ways it may
//! be sent, by whom, and what they are told. A test that is about all operations takes them from here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::client::{Client, Request, SESSION_COOKIE};
use crate::contract::Contract;
use crate::journey::Account;
use crate::shared::Running;

/// An entry of the table.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    body: Option<BTreeMap<String, String>>,
    /// Whether it cannot be served without the sealing keys.
    pub needs_keys: bool,
    /// Who sends it, and the status of the answer.
    pub situations: BTreeMap<Situation, u16>,
}

/// Where somebody stands; each has done what those before have done. The table explains them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the table explains them")]
pub enum Situation {
    Stranger,
    Started,
    Revealed,
    Enrolled,
    Active,
    Waiting,
}

/// How a request says who sends it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Credential {
    /// It does not.
    Nothing,
    /// With an enrollment or renewal token.
    Bearer,
    /// With the cookie.
    Session,
}

/// An operation of the document.
pub struct Operation {
    /// Method and path, as the table has them.
    pub name: String,
    /// In capitals.
    pub method: String,
    /// The tokens that it takes, in whatever place: `enrollment`, `renewal`, `session`, `reveal`.
    pub tokens: BTreeSet<String>,
    /// What the table says of it.
    pub entry: Entry,
    path: String,
    described: Value,
    credentials: BTreeSet<Credential>,
}

/// The names of the operations in the table: method and path.
#[must_use]
pub fn names() -> BTreeSet<String> {
    table().into_keys().collect()
}

/// Every operation of the document.
///
/// # Panics
/// When one is not in the table.
pub fn operations() -> &'static [Operation] {
    static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
        let table = table();
        let of = |(path, method, described): (String, String, Value)| {
            let name = format!("{method} {path}");
            let entry = table.get(&name).unwrap_or_else(|| panic!("{name} is not in situations.yaml"));
            Operation::new(name, method, path, described, entry.clone())
        };
        Contract::get().operations().into_iter().map(of).collect()
    });
    &OPERATIONS
}

/// Every operation in every way, sent by this person.
#[must_use]
pub fn requests<'client>(client: &'client Client, person: &Person) -> Vec<Request<'client>> {
    operations().iter().flat_map(|operation| operation.requests(client, person)).collect()
}

fn table() -> BTreeMap<String, Entry> {
    serde_saphyr::from_str(include_str!("../situations.yaml"))
        .unwrap_or_else(|error| panic!("situations.yaml: {error}"))
}

impl Operation {
    fn new(name: String, method: String, path: String, described: Value, entry: Entry) -> Self {
        let (mut credentials, mut tokens) = (BTreeSet::new(), BTreeSet::new());
        for way in described["security"].as_array().expect("the document says which tokens it takes") {
            let schemes = way.as_object().expect("a way names its schemes");
            credentials.insert(schemes.keys().next().map_or(Credential::Nothing, |scheme| carrier(scheme)));
            tokens.extend(schemes.keys().cloned());
        }
        if credentials.is_empty() {
            credentials.insert(Credential::Nothing);
        }
        if entry.body.iter().flat_map(BTreeMap::values).any(|value| value == "{reveal}") {
            tokens.insert("reveal".to_owned());
        }
        Self { name, method, tokens, entry, path, described, credentials }
    }

    /// Whether it may change something: then another site's page may not send it.
    #[must_use]
    pub fn changes_something(&self) -> bool {
        self.method != "GET"
    }

    /// The schema of the body, where it takes one.
    #[must_use]
    pub fn body_schema(&self) -> Option<&Value> {
        self.described.pointer("/requestBody/content/application~1json/schema")
    }

    /// Whether no body at all is refused.
    #[must_use]
    pub fn requires_body(&self) -> bool {
        self.described["requestBody"]["required"] == Value::Bool(true)
    }

    /// The body that somebody sends.
    #[must_use]
    pub fn body(&self, person: &Person) -> Option<Value> {
        let filled = |(field, value): (&String, &String)| (field.clone(), person.owned(value).into());
        self.entry.body.as_ref().map(|body| Value::Object(body.iter().map(filled).collect::<Map<_, _>>()))
    }

    /// The path with which somebody sends it.
    #[must_use]
    pub fn path(&self, person: &Person) -> String {
        let filled = |segment| if str::starts_with(segment, '{') { person.owned(segment) } else { segment };
        self.path.split('/').map(filled).collect::<Vec<_>>().join("/")
    }

    /// The least that it needs to know who sends it.
    #[must_use]
    pub fn least(&self) -> Credential {
        *self.credentials.first().expect("there is a way")
    }

    /// The most that it takes to know who sends it.
    #[must_use]
    pub fn most(&self) -> Credential {
        *self.credentials.last().expect("there is a way")
    }

    /// What somebody sends who brings the most that it takes.
    pub fn request<'client>(&self, client: &'client Client, person: &Person) -> Request<'client> {
        self.request_with(self.most(), client, person)
    }

    /// What somebody sends, in every way. Who could bring a token and does not is somebody new, of another name.
    #[must_use]
    pub fn requests<'client>(&self, client: &'client Client, person: &Person) -> Vec<Request<'client>> {
        let other = Person { username: format!("{}-new", person.username), ..person.clone() };
        let sent = |credential: &Credential| {
            let sender = if *credential == self.most() { person } else { &other };
            self.request_with(*credential, client, sender)
        };
        self.credentials.iter().map(sent).collect()
    }

    fn request_with<'client>(
        &self,
        credential: Credential,
        client: &'client Client,
        person: &Person,
    ) -> Request<'client> {
        let mut request = client.request(&self.method, &self.path(person));
        if let Some((name, value)) = person.header(credential) {
            request = request.header(name, &value);
        }
        match self.body(person) {
            Some(body) => request.json(&body),
            None => request,
        }
    }
}

/// Where a token of this scheme is sent.
fn carrier(scheme: &str) -> Credential {
    match Contract::get().document()["components"]["securitySchemes"][scheme]["type"].as_str() {
        Some("http") => Credential::Bearer,
        Some("apiKey") => Credential::Session,
        other => panic!("the scheme {scheme} is of no type that is known here: {other:?}"),
    }
}

/// All that somebody may be asked for.
#[derive(Clone)]
pub struct Person {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
    /// A code of six digits.
    pub code: String,
    /// The token of the reveal link.
    pub reveal: String,
    /// The enrollment or renewal token.
    pub bearer: String,
    /// The session.
    pub session: String,
    /// The id of a session.
    pub id: String,
}

impl Person {
    /// Nobody: all has the right form, and nothing is good.
    #[must_use]
    pub fn stranger() -> Self {
        let token = "A".repeat(43);
        Self {
            username: "somebody".to_owned(),
            password: "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!".to_owned(),
            code: "123456".to_owned(),
            reveal: token.clone(),
            bearer: token.clone(),
            session: token,
            id: "018f4a7e-0000-4000-8000-000000000000".to_owned(),
        }
    }

    /// The same with this one in the place of each token.
    #[must_use]
    pub fn with_every_token(self, token: &str) -> Self {
        let token = || token.to_owned();
        Self { reveal: token(), bearer: token(), session: token(), ..self }
    }

    /// The header that says who it is.
    #[must_use]
    pub fn header(&self, credential: Credential) -> Option<(&'static str, String)> {
        match credential {
            Credential::Nothing => None,
            Credential::Bearer => Some(("authorization", format!("Bearer {}", self.bearer))),
            Credential::Session => Some(("cookie", format!("{SESSION_COOKIE}={}", self.session))),
        }
    }

    /// What a placeholder of the table, or of a path, stands for.
    fn owned(&self, placeholder: &str) -> &str {
        match placeholder {
            "{username}" => &self.username,
            "{password}" => &self.password,
            "{code}" => &self.code,
            "{reveal}" => &self.reveal,
            "{id}" => &self.id,
            other => panic!("{other} stands for nothing"),
        }
    }
}

/// With a code that may be wrong, and the tokens of the start, which are dead.
impl From<&Account> for Person {
    fn from(account: &Account) -> Self {
        Self {
            username: account.username.clone(),
            password: account.password.clone(),
            reveal: account.start.reveal.clone(),
            bearer: account.start.enrollment.clone(),
            session: account.session.clone(),
            ..Self::stranger()
        }
    }
}

impl Running {
    /// Somebody new in this situation.
    #[track_caller]
    #[must_use]
    pub fn person(&self, situation: Situation) -> Person {
        if situation == Situation::Stranger {
            return Person::stranger();
        }
        let start = self.client.start(&self.username("situated"));
        if situation >= Situation::Active {
            let account = self.activate(start);
            let id = self.client.id_of_session(&account.session);
            if situation == Situation::Waiting {
                for _ in 0..5 {
                    let code = self.wrong_code(&account);
                    let answer = self.client.login(&account.username, &account.password, &code);
                    answer.refused(401, "invalid_credentials");
                }
            }
            return Person { id, code: self.fresh_code(&account), ..Person::from(&account) };
        }
        let mut person = Person {
            username: start.username,
            reveal: start.reveal,
            bearer: start.enrollment,
            ..Person::stranger()
        };
        if situation >= Situation::Revealed {
            person.password = self.client.password(&person.reveal);
        }
        if situation >= Situation::Enrolled {
            let phone = self.client.enrolled(&person.bearer).authenticator;
            person.code = phone.code_at(self.database.now());
        }
        person
    }
}
