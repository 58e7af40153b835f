//! Requests that nobody sane would send, made from the document: each gets an answer that the document promises.

use attack::odd_requests::{OddRequest, Wallet};
use attack::seeded::{SeedOnFailure, seed};
use attack::size::{figure, progress};
use attack::{Isolation, Seeded, Size, arena};
use harness::Answer;
use harness::barrier::tally;

/// After so many requests most tokens of a wallet are used up.
const REQUESTS_PER_WALLET: usize = 200;

/// Says the request, should its answer be wrong.
struct RequestOnFailure<'request>(usize, &'request OddRequest);

impl Drop for RequestOnFailure<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            progress(&format!("Request {} was:\n{:?}", self.0, self.1));
        }
    }
}

#[test]
fn whatever_is_sent_gets_an_answer_that_the_document_promises() {
    let count = Size::of_this_run().pick(400, 20_000);
    let seed = seed();
    let _said = SeedOnFailure(seed);
    let mut seeded = Seeded::new(seed);
    let arena = arena(Isolation::AsShipped);
    let mut wallet = Wallet::fill(&arena.running);
    let mut answers = Vec::new();
    for number in 0..count {
        if number % REQUESTS_PER_WALLET == REQUESTS_PER_WALLET - 1 {
            wallet = Wallet::fill(&arena.running);
            progress(&format!("{number} of {count} requests"));
        }
        let request = OddRequest::make(&mut seeded, &wallet);
        let _said = RequestOnFailure(number, &request);
        let answer = request.send(arena.client(number));
        assert!(answer.status < 500, "{answer:?}");
        assert_keeps_to_its_reader(&answer);
        answers.push(answer);
    }
    arena.database().assert_sound();
    assert_eq!(arena.client(0).get("/api/health").send().status, 200);
    let counted = tally(&answers);
    assert!(
        counted.keys().filter(|(status, _)| *status < 300).count() >= 2,
        "some are accepted: {counted:?}"
    );
    let counted: Vec<String> =
        counted.iter().map(|((status, code), count)| format!("{status} {code} {count}")).collect();
    figure(&format!("{count} requests: {}", counted.join(", ")));
}

/// The headers that every answer of the API has, whatever its status.
fn assert_keeps_to_its_reader(answer: &Answer) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{answer:?}");
    }
    for name in ["server", "x-powered-by", "access-control-allow-origin"] {
        assert_eq!(answer.header(name), None, "{answer:?}");
    }
}
