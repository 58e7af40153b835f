//! The steps of the journey as a browser takes them, each in one call, for tests that are about something later.

use serde_json::{Value, json};

use crate::client::Request;
use crate::shared::Running;
use crate::{Answer, Authenticator, Client};

/// What a start returned.
#[derive(Clone)]
pub struct Start {
    /// The name as the service stores it.
    pub username: String,
    /// The Bearer for the steps that follow.
    pub enrollment: String,
    /// The token in the reveal link.
    pub reveal: String,
    /// The whole answer.
    pub body: Value,
}

/// What a second factor's enrollment returned.
#[derive(Clone)]
pub struct Enrolled {
    /// A phone that has scanned the code.
    pub authenticator: Authenticator,
    /// The secret as text.
    pub secret: String,
    /// The whole answer.
    pub body: Value,
}

/// An account that was activated, with all that its owner has.
#[derive(Clone)]
pub struct Account {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
    /// The phone.
    pub authenticator: Authenticator,
    /// The second factor's secret as text.
    pub secret: String,
    /// The session that the activation opened.
    pub session: String,
    /// The answer to the activation.
    pub activation: Value,
    /// The start that made it; its tokens are dead.
    pub start: Start,
}

impl Client {
    /// Starts with a name.
    #[track_caller]
    #[must_use]
    pub fn start(&self, username: &str) -> Start {
        started(&self.start_request(username).send())
    }

    /// A start with a name, not sent yet.
    pub fn start_request(&self, username: &str) -> Request<'_> {
        self.post_json("/api/password", &json!({ "username": username }))
    }

    /// Starts with a Bearer: a renewal, or a new code.
    #[track_caller]
    #[must_use]
    pub fn start_with(&self, username: &str, token: &str) -> Start {
        started(&self.start_request(username).bearer(token).send())
    }

    /// Polls as the waiting page does.
    #[must_use]
    pub fn poll(&self, enrollment: &str) -> Answer {
        self.get("/api/password").bearer(enrollment).send()
    }

    /// Spends a reveal token.
    #[must_use]
    pub fn reveal(&self, token: &str) -> Answer {
        self.reveal_request(token).send()
    }

    /// A reveal, not sent yet.
    pub fn reveal_request(&self, token: &str) -> Request<'_> {
        self.post_json("/api/password/reveal", &json!({ "token": token }))
    }

    /// Spends a reveal token that must be good, and returns the password.
    #[track_caller]
    #[must_use]
    pub fn password(&self, token: &str) -> String {
        text(&self.reveal(token).ok(200), "password")
    }

    /// Asks for a second factor's secret.
    #[must_use]
    pub fn enroll(&self, enrollment: &str) -> Answer {
        self.enroll_request(enrollment).send()
    }

    /// A request for a second factor's secret, not sent yet.
    pub fn enroll_request(&self, enrollment: &str) -> Request<'_> {
        self.post("/api/totp").bearer(enrollment)
    }

    /// Asks for a second factor's secret, which must come, and scans it.
    #[track_caller]
    #[must_use]
    pub fn enrolled(&self, enrollment: &str) -> Enrolled {
        let body = self.enroll(enrollment).ok(201);
        let authenticator = Authenticator::scan(&text(&body, "otpauth_uri"));
        Enrolled { authenticator, secret: text(&body, "secret"), body }
    }

    /// Activates.
    #[must_use]
    pub fn confirm(&self, enrollment: &str, password: &str, code: &str) -> Answer {
        self.confirm_request(enrollment, password, code).send()
    }

    /// An activation, not sent yet.
    pub fn confirm_request(&self, enrollment: &str, password: &str, code: &str) -> Request<'_> {
        let body = json!({ "password": password, "code": code });
        self.post_json("/api/totp/confirm", &body).bearer(enrollment)
    }

    /// Logs in.
    #[must_use]
    pub fn login(&self, username: &str, password: &str, code: &str) -> Answer {
        self.login_request(username, password, code).send()
    }

    /// A login, not sent yet.
    pub fn login_request(&self, username: &str, password: &str, code: &str) -> Request<'_> {
        self.post_json("/api/login", &json!({ "username": username, "password": password, "code": code }))
    }

    /// Asks about a session.
    #[must_use]
    pub fn session(&self, session: &str) -> Answer {
        self.session_request(session).send()
    }

    /// A question about a session, not sent yet.
    pub fn session_request(&self, session: &str) -> Request<'_> {
        self.get("/api/session").session(session)
    }

    /// Logs out.
    #[must_use]
    pub fn logout(&self, session: &str) -> Answer {
        self.logout_request(session).send()
    }

    /// A logout, not sent yet.
    pub fn logout_request(&self, session: &str) -> Request<'_> {
        self.delete("/api/session").session(session)
    }

    /// Lists one's own sessions.
    #[must_use]
    pub fn sessions(&self, session: &str) -> Answer {
        self.get("/api/sessions").session(session).send()
    }

    /// Ends one of one's own sessions.
    #[must_use]
    pub fn end_session(&self, session: &str, id: &str) -> Answer {
        self.end_session_request(session, id).send()
    }

    /// What [`Client::end_session`] sends.
    pub fn end_session_request(&self, session: &str, id: &str) -> Request<'_> {
        self.delete(&format!("/api/sessions/{id}")).session(session)
    }

    /// The id of a session, as its own list says it.
    #[track_caller]
    #[must_use]
    pub fn id_of_session(&self, session: &str) -> String {
        let sessions = self.sessions(session).ok(200);
        let mut sessions = sessions.as_array().expect("it is a list").iter();
        text(sessions.find(|session| session["current"] == true).expect("it is on its own list"), "id")
    }

    /// Asks for all that is stored about oneself.
    #[must_use]
    pub fn own_account(&self, session: &str) -> Answer {
        self.get("/api/account").session(session).send()
    }

    /// Deletes one's own account.
    #[must_use]
    pub fn delete_account(&self, session: &str, password: &str, code: &str) -> Answer {
        self.delete_account_request(session, password, code).send()
    }

    /// What [`Client::delete_account`] sends.
    pub fn delete_account_request(&self, session: &str, password: &str, code: &str) -> Request<'_> {
        let body = json!({ "password": password, "code": code });
        self.delete("/api/account").session(session).json(&body)
    }
}

impl Running {
    /// An account with a name of its own, activated.
    #[track_caller]
    #[must_use]
    pub fn account(&self, hint: &str) -> Account {
        self.activate(self.client.start(&self.username(hint)))
    }

    /// Goes from a start to the activation.
    #[track_caller]
    #[must_use]
    pub fn activate(&self, start: Start) -> Account {
        let password = self.client.password(&start.reveal);
        let Enrolled { authenticator, secret, .. } = self.client.enrolled(&start.enrollment);
        let code = authenticator.code_at(self.database.now());
        let answer = self.client.confirm(&start.enrollment, &password, &code);
        let activation = answer.ok(200);
        let username = start.username.clone();
        Account { username, password, authenticator, secret, session: answer.session(), activation, start }
    }

    /// The code that the account's phone shows now. It may have been used.
    #[must_use]
    pub fn code(&self, account: &Account) -> String {
        account.authenticator.code_at(self.database.now())
    }

    /// A code that is good now and was not used.
    #[must_use]
    pub fn fresh_code(&self, account: &Account) -> String {
        self.database.time_travel().forget_used_steps(&account.username);
        self.code(account)
    }

    /// A code that is wrong now.
    #[must_use]
    pub fn wrong_code(&self, account: &Account) -> String {
        account.authenticator.wrong_code_at(self.database.now())
    }

    /// Logs in with all that is right.
    #[must_use]
    pub fn login(&self, account: &Account) -> Answer {
        let code = self.fresh_code(account);
        self.client.login(&account.username, &account.password, &code)
    }

    /// Deletes the account with all that is right.
    #[must_use]
    pub fn delete(&self, account: &Account) -> Answer {
        let code = self.fresh_code(account);
        self.client.delete_account(&account.session, &account.password, &code)
    }

    /// Lets the credentials expire, and logs in with them. Returns the renewal token.
    #[track_caller]
    #[must_use]
    pub fn renewal_token(&self, account: &Account) -> String {
        self.database.time_travel().expire_credentials(&account.username);
        text(&self.login(account).refused(403, "credentials_expired"), "renewal_token")
    }
}

/// A password of the right form that is not this one.
#[must_use]
pub fn another_password(password: &str) -> String {
    let first = if password.starts_with('x') { 'y' } else { 'x' };
    format!("{first}{}", &password[1..])
}

/// A token of the right form that is not this one.
#[must_use]
pub fn another_token(token: &str) -> String {
    let first = if token.starts_with('x') { 'y' } else { 'x' };
    format!("{first}{}", &token[1..])
}

/// A field that must be a text.
#[track_caller]
#[must_use]
pub fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("no text in {field}: {body}")).to_owned()
}

/// What the answer to a start, or to a request for a new code, gives.
#[track_caller]
#[must_use]
pub fn started(answer: &Answer) -> Start {
    let body = answer.ok(201);
    let link = text(&body, "reveal_url");
    let (_, token) = link.split_once("/reveal#").expect("the token is the fragment of the link");
    Start {
        username: text(&body, "username"),
        enrollment: text(&body, "enrollment_token"),
        reveal: token.to_owned(),
        body,
    }
}
