//! Many people on their way through the journey at once, each as patient as a person: who gets no answer, or a 503, tries
//! the same again, and who is told that it was done already goes the way on that the pages offer.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use harness::client::Request;
use harness::deadline::Stopwatch;
use harness::journey::{started, text};
use harness::shared::Running;
use harness::{Answer, Authenticator, Client};
use serde_json::json;

use crate::ledger::Ledger;

/// Beginning of the names of the accounts that the traffic makes.
pub const PREFIX: &str = "walker-";

/// Between two attempts of one person.
const PATIENCE: Duration = Duration::from_millis(50);

/// How often one person tries one thing: longer than any fault of these tests lasts.
const ATTEMPTS: usize = 2_000;

/// What one person was told.
#[derive(Default)]
pub struct Walk {
    /// The name that was asked for.
    pub username: String,
    /// The start was answered.
    pub started: bool,
    /// Passwords that were handed over.
    pub passwords: usize,
    /// The activation was answered.
    pub activated: bool,
    /// The how manieth it was of those who were activated and have arrived since.
    pub arrival: usize,
    /// Logins that were answered.
    pub logins: usize,
    /// Logins that were tried.
    pub logins_tried: usize,
    /// What a login takes, as far as the journey led.
    pub credentials: Option<(String, Authenticator)>,
    /// Requests that got no answer.
    pub cut: usize,
    /// Requests that were answered with 503.
    pub unavailable: usize,
    /// Requests in all.
    pub requests: usize,
    /// An answer that nothing explains; the journey ended there.
    pub surprise: Option<String>,
}

/// The progress of a crowd.
pub struct Progress<'crowd> {
    activated: &'crowd AtomicUsize,
}

impl Progress<'_> {
    /// How many activations were answered so far.
    #[must_use]
    pub fn activated(&self) -> usize {
        self.activated.load(Ordering::Relaxed)
    }

    /// Waits until that many activations were answered, as long as there are more of them all the time.
    ///
    /// # Panics
    /// When nobody arrives for two minutes.
    pub fn wait_for(&self, activated: usize) {
        loop {
            let before = self.activated();
            if before >= activated {
                return;
            }
            let somebody_arrived = || (self.activated() > before).then_some(());
            harness::deadline::poll(Duration::from_secs(120), somebody_arrived).expect("the crowd gets on");
        }
    }
}

/// Sends people through the journey, `abreast` at a time, at least `people` of them and as long as `meanwhile` runs.
pub fn crowd(running: &Running, people: usize, abreast: usize, meanwhile: impl FnOnce(&Progress)) -> Ledger {
    let clock = Clock::of(running);
    let (activated, next, is_over) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let walks = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..abreast {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= people && is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    let mut walk = Walker::new(&running.client, &clock, number).walk();
                    if walk.activated {
                        walk.arrival = activated.fetch_add(1, Ordering::Relaxed) + 1;
                    }
                    walks.lock().unwrap().push(walk);
                }
            });
        }
        // Also when it panics: otherwise the crowd would walk for ever.
        let end = EndOnDrop(&is_over);
        meanwhile(&Progress { activated: &activated });
        drop(end);
    });
    Ledger::new(walks.into_inner().unwrap())
}

struct EndOnDrop<'flag>(&'flag AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The database's time, without asking it each time: it may be down.
pub(crate) struct Clock {
    seconds_at_start: u64,
    since: Stopwatch,
}

impl Clock {
    pub(crate) fn of(running: &Running) -> Self {
        Self { seconds_at_start: running.database.now(), since: Stopwatch::start() }
    }

    /// Never ahead, and less than two seconds behind.
    pub(crate) fn now(&self) -> u64 {
        self.seconds_at_start + self.since.elapsed().as_secs()
    }
}

/// Why a journey ended early.
enum End {
    /// An answer was lost that the journey cannot go on without; the pages say what to do.
    Lost,
    /// An answer that nothing explains.
    Surprise(String),
}

struct Walker<'world> {
    client: &'world Client,
    clock: &'world Clock,
    walk: Walk,
}

impl<'world> Walker<'world> {
    fn new(client: &'world Client, clock: &'world Clock, number: usize) -> Self {
        let walk = Walk { username: format!("{PREFIX}{number}"), ..Walk::default() };
        Self { client, clock, walk }
    }

    fn walk(mut self) -> Walk {
        if let Err(End::Surprise(what)) = self.journey() {
            self.walk.surprise = Some(format!("{}: {what}", self.walk.username));
        }
        self.walk
    }

    fn journey(&mut self) -> Result<(), End> {
        let (enrollment, reveal) = self.start()?;
        let password = self.password(&enrollment, reveal)?;
        let phone = self.enroll(&enrollment)?;
        self.walk.credentials = Some((password.clone(), phone.clone()));
        self.activate(&enrollment, &password, &phone)?;
        self.login(&password, &phone)
    }

    fn start(&mut self) -> Result<(String, String), End> {
        let body = json!({ "username": self.walk.username });
        let (answer, repeated) = self.ask(|client, _| client.post_json("/api/password", &body))?;
        match answer.status {
            201 => {
                self.walk.started = true;
                let start = started(&answer);
                Ok((start.enrollment, start.reveal))
            }
            // The name is this person's own, without the token: it is free again when the start's time is over.
            409 if repeated => Err(End::Lost),
            _ => Err(surprise("start", &answer)),
        }
    }

    fn password(&mut self, enrollment: &str, mut reveal: String) -> Result<String, End> {
        loop {
            let body = json!({ "token": reveal });
            let (answer, repeated) = self.ask(|client, _| client.post_json("/api/password/reveal", &body))?;
            match answer.status {
                200 => {
                    self.walk.passwords += 1;
                    return Ok(text(&answer.json(), "password"));
                }
                410 if repeated => reveal = self.new_code(enrollment)?,
                _ => return Err(surprise("reveal", &answer)),
            }
        }
    }

    fn new_code(&mut self, enrollment: &str) -> Result<String, End> {
        let body = json!({ "username": self.walk.username });
        let request = |client: &'world Client, _| client.post_json("/api/password", &body).bearer(enrollment);
        let (answer, _) = self.ask(request)?;
        if answer.status == 201 { Ok(started(&answer).reveal) } else { Err(surprise("new code", &answer)) }
    }

    fn enroll(&mut self, enrollment: &str) -> Result<Authenticator, End> {
        let (answer, _) = self.ask(|client, _| client.post("/api/totp").bearer(enrollment))?;
        if answer.status != 201 {
            return Err(surprise("second factor", &answer));
        }
        Ok(Authenticator::scan(&text(&answer.json(), "otpauth_uri")))
    }

    fn activate(&mut self, enrollment: &str, password: &str, phone: &Authenticator) -> Result<(), End> {
        let request = |client: &'world Client, now| {
            let body = json!({ "password": password, "code": phone.code_at(now) });
            client.post_json("/api/totp/confirm", &body).bearer(enrollment)
        };
        let (answer, repeated) = self.ask(request)?;
        match (answer.status, answer.code().as_str()) {
            (200, _) => self.walk.activated = true,
            // It was done, and this person does not know: the login will tell.
            (401, "token_invalid") if repeated => {}
            _ => return Err(surprise("activation", &answer)),
        }
        Ok(())
    }

    /// With the code that the phone shows next, which the service accepts already: the current one was used.
    fn login(&mut self, password: &str, phone: &Authenticator) -> Result<(), End> {
        let username = self.walk.username.clone();
        let requests = self.walk.requests;
        let request = |client: &'world Client, now| {
            let code = phone.code_at(now + harness::authenticator::STEP_SECONDS);
            let body = json!({ "username": username, "password": password, "code": code });
            client.post_json("/api/login", &body)
        };
        let asked = self.ask(request);
        self.walk.logins_tried += self.walk.requests - requests;
        let (answer, repeated) = asked?;
        match answer.status {
            200 => self.walk.logins += 1,
            // It was done, and the code is used. Who waits for the next one gets in.
            401 if repeated => {}
            _ => return Err(surprise("login", &answer)),
        }
        Ok(())
    }

    /// Asks until there is an answer that is not a 503, and says whether it was asked more than once.
    fn ask<'request>(
        &mut self,
        request: impl Fn(&'world Client, u64) -> Request<'request>,
    ) -> Result<(Answer, bool), End> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                thread::sleep(PATIENCE);
            }
            self.walk.requests += 1;
            match request(self.client, self.clock.now()).try_send() {
                Err(_) => self.walk.cut += 1,
                Ok(answer) if answer.status == 503 => self.walk.unavailable += 1,
                Ok(answer) => return Ok((answer, attempt > 0)),
            }
        }
        Err(End::Surprise("the service did not come back".to_owned()))
    }
}

fn surprise(step: &str, answer: &Answer) -> End {
    End::Surprise(format!("{step}: {} {}", answer.status, answer.code()))
}
