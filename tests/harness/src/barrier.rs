//! Many things in one moment: a race in which everybody is at the line before anybody starts.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use crate::Answer;
use crate::client::Request;
use crate::raw::Held;

/// For the server to read what was sent so far of the requests that are held.
const SETTLE: Duration = Duration::from_millis(20);

/// Runs all of them, each in a thread of its own, from the moment in which every thread is ready. The results come in
/// the order of the actions.
pub fn at_once<T: Send>(actions: Vec<impl FnOnce() -> T + Send>) -> Vec<T> {
    let barrier = Barrier::new(actions.len());
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for action in actions {
            let barrier = &barrier;
            threads.push(scope.spawn(move || {
                barrier.wait();
                action()
            }));
        }
        threads.into_iter().map(|thread| thread.join().expect("the action ends")).collect()
    })
}

/// Sends all but the last byte of each request, each over a connection of its own, and then the last bytes.
pub fn together(requests: Vec<Request<'_>>) -> Vec<Answer> {
    together_with(requests, || ())
}

/// The same, with something else that happens in the same moment.
pub fn together_with(requests: Vec<Request<'_>>, beside: impl FnOnce() + Send) -> Vec<Answer> {
    let mut held: Vec<Held> = requests.into_iter().map(Request::hold).collect();
    thread::sleep(SETTLE);
    thread::scope(|scope| {
        scope.spawn(beside);
        held.iter_mut().for_each(Held::release);
    });
    held.into_iter().map(Held::answer).collect()
}

/// How often each status and code came. The code of an answer that is no refusal is empty.
pub type Tally = BTreeMap<(u16, String), usize>;

/// Counts answers.
#[must_use]
pub fn tally<'answer>(answers: impl IntoIterator<Item = &'answer Answer>) -> Tally {
    let mut tally = Tally::new();
    for answer in answers {
        *tally.entry((answer.status, answer.code())).or_default() += 1;
    }
    tally
}

/// A tally as a test writes it down.
#[must_use]
pub fn expected<const N: usize>(parts: [(u16, &str, usize); N]) -> Tally {
    parts.map(|(status, code, count)| ((status, code.to_owned()), count)).into()
}
