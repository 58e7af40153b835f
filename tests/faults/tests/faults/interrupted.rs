//! Every operation, interrupted at every boundary: between any two statements and within them the connection ends, the
//! host is killed, the component traps, or the client goes away. What is left is nothing or everything, and there is a way on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use faults::proxy::Point;
use faults::{Proxy, assert_back, assert_no_open_transaction, is_full, soon};
use harness::app::Config;
use harness::client::Request;
use harness::deadline::{poll, timed};
use harness::fingerprint::Fingerprint;
use harness::shared::Running;
use harness::{Answer, App, Client};

use crate::network::behind_a_proxy;
use crate::operations::{EXCHANGES, OPERATIONS, Operation};

/// How an operation is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The connection to PostgreSQL ends.
    Cut,
    /// The host is killed, and started again.
    Kill,
    /// The client goes away; the operation runs on without it.
    Leave,
    /// The component stops, and leaves its connection to the next one.
    Trap,
}

/// What an interrupted operation has done, and what the client knows of it.
pub enum Done {
    /// All of it, and the client was told.
    Answered(Answer),
    /// All of it, and nobody knows.
    Unheard,
    /// None of it.
    Nothing,
}

/// An app behind a proxy, and how the next operation is to be interrupted.
pub struct Bench {
    /// The app over its database.
    pub running: Running,
    config: Config,
    proxy: Proxy,
    how: How,
    point: Point,
    /// Whether the operation has come as far as that point.
    was_reached: bool,
    /// Whether it was done and nobody knows.
    is_unheard: bool,
    owner: RefCell<postgres::Client>,
    /// Hosts whose components stop after so many statements.
    trapping: BTreeMap<usize, App>,
}

/// What came of one operation at one boundary.
struct Boundary {
    was_reached: bool,
    is_done: bool,
    is_unheard: bool,
}

impl Bench {
    fn new() -> Self {
        let (proxy, running, config) = behind_a_proxy();
        let owner = RefCell::new(running.database.owner());
        // So that the pool has a connection, and the first operation meets what the others meet.
        assert_back(&running);
        Self {
            running,
            config,
            proxy,
            how: How::Cut,
            point: Point::Before(1),
            was_reached: false,
            is_unheard: false,
            owner,
            trapping: BTreeMap::new(),
        }
    }

    /// Sends a request that is interrupted, and finds out what was done. It is done when there is its event, which the
    /// same statement writes; otherwise no row of any table may have changed.
    pub fn interrupted(
        &mut self,
        event: &str,
        success: u16,
        request: impl for<'c> Fn(&'c Client) -> Request<'c> + Sync,
    ) -> Done {
        let (rows, events) = (self.rows(event), self.events(event));
        let answer = match self.how {
            How::Cut => self.cut(&request),
            How::Kill => self.kill(&request),
            How::Leave => self.leave(event, events, &request),
            How::Trap => self.trap(&request),
        };
        // The way on is not interrupted.
        self.was_reached = self.proxy.was_reached() || self.how == How::Trap && answer.is_none();
        self.proxy.pass();
        let what = format!("{event}, {:?} at {:?}", self.how, self.point);
        let success = answer.filter(|answer| {
            assert!([success, 503].contains(&answer.status), "{what}: {answer:?}");
            answer.status == success
        });
        let done = self.events(event) - events;
        self.is_unheard = done == 1 && success.is_none();
        match (done, success) {
            (1, Some(answer)) => Done::Answered(answer),
            (1, None) => Done::Unheard,
            (0, None) => {
                assert_eq!(self.rows(event), rows, "{what}: something was left");
                Done::Nothing
            }
            (done, answer) => panic!("{what}: it was done {done} times, and the answer is {answer:?}"),
        }
    }

    fn cut(&self, request: &impl for<'c> Fn(&'c Client) -> Request<'c>) -> Option<Answer> {
        self.proxy.cut_at(self.point);
        let (answer, time) = timed(|| request(&self.running.client).send());
        assert!(time < soon(), "{time:?}: {answer:?}");
        Some(answer)
    }

    fn kill(&mut self, request: &(impl for<'c> Fn(&'c Client) -> Request<'c> + Sync)) -> Option<Answer> {
        let Self { running, proxy, .. } = self;
        proxy.hold_at(self.point);
        let client = running.client.clone();
        let (answer, killed) = thread::scope(|scope| {
            let answer = scope.spawn(|| request(&client).try_send().ok());
            let killed = proxy.wait_until_held(|| answer.is_finished());
            if killed {
                running.app.kill();
                proxy.cut_held();
            }
            (answer.join().unwrap(), killed)
        });
        if killed {
            running.app = App::with(&self.config);
            running.client = running.app.client();
            assert_back(running);
        }
        answer
    }

    /// The client hangs up while its request is on the way, and the request runs on.
    fn leave(
        &self,
        event: &str,
        events: i64,
        request: &impl for<'c> Fn(&'c Client) -> Request<'c>,
    ) -> Option<Answer> {
        self.proxy.hold_at(self.point);
        let connection = request(&self.running.client).send_and_leave();
        let is_done = || self.events(event) > events;
        if self.proxy.wait_until_held(is_done) {
            drop(connection);
            // A moment in which the host can see that the client has gone.
            thread::sleep(Duration::from_millis(5));
            self.proxy.let_go();
        }
        assert!(poll(Duration::from_secs(5), || is_done().then_some(())).is_some(), "it was not done");
        None
    }

    /// Every row that an operation may have changed only if it was done. The load of a deletion is a use of the session.
    fn rows(&self, event: &str) -> Fingerprint {
        let rows = self.running.database.fingerprint();
        if event == "delete/ok" { rows.without_sessions() } else { rows }
    }

    /// Spin answers for a component that trapped, with an empty 500.
    fn trap(&mut self, request: &impl for<'c> Fn(&'c Client) -> Request<'c>) -> Option<Answer> {
        let Point::After(number) = self.point else { panic!("a trap is after a statement") };
        let config = &self.config;
        let with_trap = || App::with(&config.clone().with_trap_after_statement(number));
        let client = self.trapping.entry(number).or_insert_with(with_trap).client();
        let answer = request(&client).send_unchecked();
        (answer.status != 500).then_some(answer)
    }

    /// How often something has happened, as `kind/outcome`.
    fn events(&self, event: &str) -> i64 {
        let statement = "SELECT count(*) FROM event WHERE kind || '/' || outcome = $1";
        self.owner.borrow_mut().query_one(statement, &[&event]).unwrap().get(0)
    }

    /// Interrupts an operation at one boundary, and takes the way on.
    fn interrupt(&mut self, operation: &Operation, how: How, point: Point) -> Boundary {
        let username = self.running.username(operation.name);
        (self.how, self.point) = (how, point);
        let is_done = (operation.run)(self, &username);
        assert_no_open_transaction(&self.running);
        Boundary { was_reached: self.was_reached, is_done, is_unheard: self.is_unheard }
    }

    /// Interrupts an operation at every boundary, one after the other, until it has none any more.
    fn at_every_boundary(
        &mut self,
        operation: &Operation,
        how: How,
        when: fn(usize) -> Point,
    ) -> Vec<Boundary> {
        let mut boundaries = Vec::new();
        for number in 1.. {
            let boundary = self.interrupt(operation, how, when(number));
            if !boundary.was_reached {
                break;
            }
            boundaries.push(boundary);
        }
        boundaries
    }
}

/// Not to have sent an exchange and not to have heard the answer to the one before it is the same to the database, so the
/// slice loses the answers only.
#[test]
fn an_operation_whose_connection_ends_at_any_boundary_leaves_nothing_or_everything() {
    let mut bench = Bench::new();
    for operation in OPERATIONS {
        let Operation { name, commit, .. } = *operation;
        let after = bench.at_every_boundary(operation, How::Cut, Point::After);
        println!("{name:<16} cut after each of {} exchanges", after.len());
        let unheard = after.iter().position(|boundary| boundary.is_unheard).map(|index| index + 1);
        assert_eq!(unheard, Some(commit), "{name}: the first that was done without an answer");
        assert!(after[commit - 1..].iter().all(|boundary| boundary.is_done), "{name}");
        if is_full() {
            let before = bench.at_every_boundary(operation, How::Cut, Point::Before);
            println!("{name:<16} cut before each of {} exchanges", before.len());
            let unheard = before.iter().position(|boundary| boundary.is_unheard).map(|index| index + 1);
            assert!(unheard.is_none_or(|number| number > commit), "{name} was done without having been sent");
        }
    }
}

#[test]
fn a_component_that_traps_after_any_statement_leaves_nothing_or_everything() {
    let mut bench = Bench::new();
    for operation in OPERATIONS {
        let Operation { name, commit, .. } = *operation;
        let trapped = bench.at_every_boundary(operation, How::Trap, Point::After);
        let unheard: Vec<bool> = trapped.iter().map(|boundary| boundary.is_unheard).collect();
        let statements = commit / EXCHANGES;
        assert_eq!(unheard.iter().position(|unheard| *unheard), Some(statements - 1), "{name}: {unheard:?}");
    }
}

#[test]
fn a_host_that_is_killed_at_any_boundary_leaves_nothing_or_everything() {
    let mut bench = Bench::new();
    for operation in OPERATIONS {
        let Operation { name, commit, .. } = *operation;
        assert!(!bench.interrupt(operation, How::Kill, Point::Before(commit)).is_done, "{name}");
        assert!(bench.interrupt(operation, How::Kill, Point::After(commit)).is_unheard, "{name}");
        if is_full() {
            let before = bench.at_every_boundary(operation, How::Kill, Point::Before).len();
            let after = bench.at_every_boundary(operation, How::Kill, Point::After).len();
            println!("{name:<16} killed before each of {before}, after each of {after} exchanges");
        }
    }
}

#[test]
fn a_client_that_goes_away_and_comes_back_finds_everything_done_once() {
    let mut bench = Bench::new();
    for operation in OPERATIONS {
        let Operation { name, commit, .. } = *operation;
        for number in [1, commit] {
            let boundary = bench.interrupt(operation, How::Leave, Point::Before(number));
            assert!(boundary.was_reached && boundary.is_done, "{name}");
        }
        if is_full() {
            let left = bench.at_every_boundary(operation, How::Leave, Point::Before).len();
            println!("{name:<16} left alone before each of {left} exchanges");
        }
    }
}

#[test]
fn a_client_that_goes_away_in_the_middle_of_its_request_has_asked_for_nothing() {
    let running = Running::start();
    let account = running.account("half");
    let before = running.database.fingerprint();
    let headers = [("content-type", "application/json")];
    for (path, body) in [
        ("/api/password", r#"{"username":"half-a-start"}"#),
        ("/api/login", r#"{"username":"half-0","password":"x","code":"123456"}"#),
    ] {
        let answer = running.client.half_a_body("POST", path, &headers, body.as_bytes());
        assert!(answer.is_none_or(|answer| answer.status == 400), "{path}");
    }
    assert_eq!(running.database.fingerprint(), before);
    assert_eq!(running.login(&account).status, 200);
}
