//! One request of each kind, to see what it is told.

use faults::soon;
use harness::deadline::timed;
use harness::shared::Running;
use harness::situations::{self, Person};
use harness::{Account, Answer};

/// Sends one of each, since all need the database, and says what each was told. (With an account's good session and
/// credentials: what failed open would be a 200.)
pub fn one_of_each(running: &Running, account: &Account) -> Vec<Answer> {
    let requests = situations::requests(&running.client, &Person::from(account));
    let send = |request: harness::client::Request| {
        let (answer, time) = timed(|| request.send());
        assert!(time < soon(), "{time:?}: {answer:?}");
        answer
    };
    requests.into_iter().map(send).collect()
}

/// Asserts that nothing is served: not even that a session is good, and least of all that one is not.
#[track_caller]
pub fn assert_nothing_is_served(running: &Running, account: &Account) {
    for answer in one_of_each(running, account) {
        answer.refused(503, "unavailable");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
}

/// Asserts that everything of an account is as it was: its session, its credentials, which nothing has counted against.
#[track_caller]
pub fn assert_unharmed(running: &Running, account: &Account) {
    assert_eq!(running.client.session(&account.session).status, 200);
    assert_eq!(running.database.time_travel().wrong_codes(&account.username), 0);
    assert_eq!(running.login(account).status, 200);
}
