//! A proxy between the app and PostgreSQL that can be told to lose what it carries.
//!
//! It counts exchanges: what the client sends up to the point where it waits, and the answer to it. A statement takes
//! three (prepare, run, close), a connection from the pool one (Spin's cleaning). Losing the answer to an exchange is not
//! losing the exchange: then the statement ran, and nobody knows.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::wire::{self, Message, read_message};

/// How long a test waits for a request to reach a point.
const PATIENCE: Duration = Duration::from_secs(10);

/// A point of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The exchange of this number, counted from one, has been sent by the app and has not reached PostgreSQL.
    Before(usize),
    /// PostgreSQL has carried it out, and the app has not heard of it.
    After(usize),
}

/// What the proxy does with what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Passes on after a while.
    Delay(Duration),
    /// Ends every connection as soon as it is made.
    Close,
    /// Takes everything and passes nothing on, either way.
    Silent,
}

/// What happens at the point that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Nothing,
    CutAt(Point),
    HoldAt(Point),
}

/// A proxy on loopback, until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    mode: Mode,
    plan: Plan,
    /// Exchanges that were begun since the plan was made.
    exchanges: usize,
    /// Whether the point of the plan was reached.
    reached: bool,
    /// Connections that wait for a silent server.
    waiting: usize,
    connections: Vec<Arc<Connection>>,
    closed: bool,
}

struct Connection {
    client: TcpStream,
    server: TcpStream,
    /// The numbers of the exchanges that the server has yet to answer; none for the one that opens the connection.
    unanswered: Mutex<VecDeque<Option<usize>>>,
}

impl Connection {
    fn cut(&self) {
        // Errors are those of a connection that is gone already.
        self.client.shutdown(Shutdown::Both).ok();
        self.server.shutdown(Shutdown::Both).ok();
    }
}

impl Proxy {
    /// A proxy in front of the PostgreSQL that listens there.
    #[must_use]
    pub fn to(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().unwrap();
        let state = State {
            mode: Mode::Pass,
            plan: Plan::Nothing,
            exchanges: 0,
            reached: false,
            waiting: 0,
            connections: Vec::new(),
            closed: false,
        };
        let shared = Arc::new(Shared { upstream, state: Mutex::new(state), changed: Condvar::new() });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &of_thread));
        Self { address, shared }
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Carries everything, and forgets what it was told before.
    pub fn pass(&self) {
        self.change(Mode::Pass, Plan::Nothing);
    }

    /// Carries everything, each piece this much later.
    pub fn delay(&self, delay: Duration) {
        self.change(Mode::Delay(delay), Plan::Nothing);
    }

    /// Ends every connection, and each new one.
    pub fn close(&self) {
        self.change(Mode::Close, Plan::Nothing);
        self.cut();
    }

    /// Takes connections and what comes over them, and says nothing.
    pub fn be_silent(&self) {
        self.change(Mode::Silent, Plan::Nothing);
    }

    /// Ends the connections that there are.
    pub fn cut(&self) {
        let connections = std::mem::take(&mut self.shared.lock().connections);
        connections.iter().for_each(|connection| connection.cut());
    }

    /// Ends the connection that reaches this point, counted from now.
    pub fn cut_at(&self, point: Point) {
        self.change(Mode::Pass, Plan::CutAt(point));
    }

    /// Stops the connection that reaches this point, counted from now, until it is cut or let go.
    pub fn hold_at(&self, point: Point) {
        self.change(Mode::Pass, Plan::HoldAt(point));
    }

    /// Ends the connection that is held: what it had not sent is never sent, what it had not heard never heard.
    pub fn cut_held(&self) {
        let mut state = self.shared.lock();
        if let Plan::HoldAt(point) = state.plan {
            state.plan = Plan::CutAt(point);
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Lets the connection that is held go on, from before an exchange. (The answer to one is lost.)
    pub fn let_go(&self) {
        self.shared.lock().plan = Plan::Nothing;
        self.shared.changed.notify_all();
    }

    /// Whether the point of the plan has been reached.
    #[must_use]
    pub fn was_reached(&self) -> bool {
        self.shared.lock().reached
    }

    /// Waits until a connection is held; false when `is_over` says that none will be.
    #[must_use]
    pub fn wait_until_held(&self, is_over: impl Fn() -> bool) -> bool {
        let held = || (self.was_reached() || is_over()).then_some(());
        harness::deadline::poll(PATIENCE, held).expect("the request ends or is held");
        self.was_reached()
    }

    /// How many connections have sent something since the server went silent.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting
    }

    fn change(&self, mode: Mode, plan: Plan) {
        let mut state = self.shared.lock();
        (state.mode, state.plan) = (mode, plan);
        (state.exchanges, state.reached, state.waiting) = (0, false, 0);
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.close();
        // Wakes the thread that accepts.
        TcpStream::connect(self.address).ok();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        let mode = {
            let state = shared.lock();
            if state.closed {
                return;
            }
            state.mode
        };
        // Dropping the client's end closes it.
        let Ok(client) = client else { continue };
        let Ok(server) = TcpStream::connect(shared.upstream) else { continue };
        if mode == Mode::Close {
            continue;
        }
        client.set_nodelay(true).ok();
        server.set_nodelay(true).ok();
        let unanswered = Mutex::new(VecDeque::from([None]));
        let connection = Arc::new(Connection { client, server, unanswered });
        shared.lock().connections.push(Arc::clone(&connection));
        for carry in [requests, answers] {
            let (shared, connection) = (Arc::clone(shared), Arc::clone(&connection));
            thread::spawn(move || {
                // An error is the end of one side; then the other has nobody to talk to.
                carry(&shared, &connection).ok();
                connection.cut();
                shared.lock().connections.retain(|known| !Arc::ptr_eq(known, &connection));
            });
        }
    }
}

/// Carries what the app sends, an exchange at a time.
fn requests(shared: &Shared, connection: &Connection) -> io::Result<()> {
    let mut exchange = Vec::new();
    let mut is_first = true;
    loop {
        let Message { kind, bytes } = read_message(&mut &connection.client, is_first)?;
        is_first = false;
        exchange.extend(bytes);
        shared.let_through()?;
        if [wire::SYNC, wire::QUERY].contains(&kind) {
            let number = shared.begin_exchange();
            connection.unanswered.lock().unwrap_or_else(PoisonError::into_inner).push_back(Some(number));
            shared.reach(Point::Before(number))?;
            (&connection.server).write_all(&exchange)?;
            exchange.clear();
        } else if ![b'P', b'B', b'D', b'E', b'C'].contains(&kind) {
            // Nothing of an exchange: the start, a password, the end.
            (&connection.server).write_all(&exchange)?;
            exchange.clear();
        }
    }
}

/// Carries what PostgreSQL answers.
fn answers(shared: &Shared, connection: &Connection) -> io::Result<()> {
    loop {
        let Message { kind, bytes } = read_message(&mut &connection.server, false)?;
        shared.let_through()?;
        let mut unanswered = connection.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        let number = unanswered.front().copied().flatten();
        let is_last = kind == wire::READY;
        if is_last {
            unanswered.pop_front();
        }
        drop(unanswered);
        if let Some(number) = number
            && shared.is_planned(Point::After(number))
        {
            if is_last {
                shared.reach(Point::After(number))?;
            }
            continue;
        }
        (&connection.client).write_all(&bytes)?;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as it is the proxy's mode to keep things back.
    fn let_through(&self) -> io::Result<()> {
        let mut state = self.lock();
        if state.mode == Mode::Silent {
            state.waiting += 1;
        }
        let state = self
            .changed
            .wait_while(state, |state| state.mode == Mode::Silent)
            .unwrap_or_else(PoisonError::into_inner);
        match state.mode {
            Mode::Close => Err(io::ErrorKind::ConnectionAborted.into()),
            Mode::Delay(delay) => {
                drop(state);
                thread::sleep(delay);
                Ok(())
            }
            Mode::Pass | Mode::Silent => Ok(()),
        }
    }

    fn begin_exchange(&self) -> usize {
        let mut state = self.lock();
        state.exchanges += 1;
        state.exchanges
    }

    fn is_planned(&self, point: Point) -> bool {
        let plan = self.lock().plan;
        plan == Plan::CutAt(point) || plan == Plan::HoldAt(point)
    }

    /// Cuts or waits where that is the plan. An error ends the connection.
    fn reach(&self, point: Point) -> io::Result<()> {
        if !self.is_planned(point) {
            return Ok(());
        }
        let mut state = self.lock();
        state.reached = true;
        let state = self
            .changed
            .wait_while(state, |state| state.plan == Plan::HoldAt(point))
            .unwrap_or_else(PoisonError::into_inner);
        if state.plan == Plan::Nothing && state.mode == Mode::Pass {
            return Ok(());
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}
