//! `export` and `erase`, by each kind of owner. What they say and remove is tested beside the running service (tests/http).

use domain::Username;
use harness::NativeDatabase;
use journey::start::NewAccount;

use crate::journey::Random;
use crate::server::{PASSWORD, Server, fails, succeeds};

#[test]
fn whoever_owns_the_database_exports_and_erases() {
    let server = Server::start("cannot-log-in");
    for database in server.both() {
        database.migrated();
        let new = NewAccount::draw(Username::parse("some.body").unwrap(), &mut Random).unwrap();
        new.create(&NativeDatabase::new(database.application(PASSWORD).unwrap())).unwrap();

        let exported = succeeds(&database.ops("export some.body"));
        assert!(exported.starts_with("{\"username\":\"some.body\",\"state\":\"pending\","), "{exported}");
        let erased = succeeds(&database.ops("erase some.body"));
        assert!(
            erased.starts_with("removed the account, with 1 credentials, 0 sessions, 0 renewal tokens\n"),
            "{erased}"
        );
        assert_eq!(database.text("SELECT count(*) FROM identity.account"), "0");
        for command in ["export some.body", "erase some.body"] {
            assert!(fails(&database.ops(command)).contains("there is no account of that name"));
        }
    }
}
