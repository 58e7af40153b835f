//! Somebody who can write to the database, but has no keys: what was sealed opens where it was sealed for and nowhere
//! else. And what sealing cannot tell: the last three tests.

use harness::at_rest::{Column, Which};
use harness::journey::another_token;
use harness::shared::Running;
use harness::{Account, Answer, shared};

/// Nobody got in. It is a 503 whatever the password and the code are: what does not open is nobody's wrong guess.
#[track_caller]
fn assert_shut(answer: &Answer, what: &str) {
    answer.refused(503, "unavailable");
    assert!(answer.header("set-cookie").is_none(), "{what}");
}

/// Tries both owners' secrets at the victim's door, puts back what was there, and sees that it opens again: what was shut
/// was shut by the change.
#[track_caller]
fn stays_shut(running: &Running, victim: &Account, thief: &Account, what: &str, change: impl FnOnce()) {
    let columns =
        Column::ALL.map(|column| (column, running.database.sealed(&victim.username, Which::Live, column)));
    change();
    for secrets in [victim, thief] {
        running.database.time_travel().forget_used_steps(&victim.username);
        let code = running.code(secrets);
        assert_shut(&running.client.login(&victim.username, &secrets.password, &code), what);
    }
    for (column, blob) in columns {
        running.database.overwrite(&victim.username, Which::Live, column, &blob);
    }
    assert_eq!(running.login(victim).status, 200, "{what}, put back");
}

#[test]
fn a_sealed_value_opens_in_its_own_column_of_its_own_row_only() {
    let running = shared();
    let database = &running.database;
    let [victim, thief] = ["victim", "thief"].map(|hint| running.account(hint));
    let of = |account: &Account, column| database.sealed(&account.username, Which::Live, column);
    let put = |column, blob: &[u8]| database.overwrite(&victim.username, Which::Live, column, blob);
    let (mine, secret) = (of(&victim, Column::Verifier), of(&victim, Column::TotpSecret));
    let (theirs, their_secret) = (of(&thief, Column::Verifier), of(&thief, Column::TotpSecret));
    let changes: [(&str, Column, &[u8]); 6] = [
        ("the thief's password", Column::Verifier, &theirs),
        ("the thief's phone", Column::TotpSecret, &their_secret),
        ("the password as the second factor", Column::TotpSecret, &mine),
        ("the second factor as the password", Column::Verifier, &secret),
        ("no password", Column::Verifier, b""),
        ("no second factor", Column::TotpSecret, b""),
    ];
    for (what, column, blob) in changes {
        stays_shut(running, &victim, &thief, what, || put(column, blob));
    }
    stays_shut(running, &victim, &thief, "both of the thief", || {
        put(Column::Verifier, &theirs);
        put(Column::TotpSecret, &their_secret);
    });
    stays_shut(running, &victim, &thief, "exchanged", || {
        put(Column::Verifier, &secret);
        put(Column::TotpSecret, &mine);
    });
}

#[test]
fn a_credential_that_was_given_to_another_account_opens_nothing() {
    let running = shared();
    let [victim, thief] = ["victim", "thief"].map(|hint| running.account(hint));
    running.database.give_credential(&thief.username, &victim.username);
    for secrets in [&victim, &thief] {
        running.database.time_travel().forget_used_steps(&victim.username);
        let answer = running.client.login(&victim.username, &secrets.password, &running.code(secrets));
        assert_shut(&answer, "given away");
    }
}

#[test]
fn every_flipped_byte_and_other_lengths_are_refused_and_break_nothing() {
    let running = Running::start();
    let account = running.account("flipped");
    // Whatever the code is, what does not open is no wrong code: that would be a 401, and counted.
    let login = || running.client.login(&account.username, &account.password, "000000");
    for column in Column::ALL {
        let blob = running.database.sealed(&account.username, Which::Live, column);
        let put = |blob: &[u8]| running.database.overwrite(&account.username, Which::Live, column, blob);
        for position in 0..blob.len() {
            let mut flipped = blob.clone();
            flipped[position] ^= 0xff;
            put(&flipped);
            login().refused(503, "unavailable");
        }
        let longer = [&blob[..], &[0]].concat();
        for other in [&blob[..1], &blob[..blob.len() / 2], &blob[..blob.len() - 1], &longer] {
            put(other);
            login().refused(503, "unavailable");
        }
        put(&blob);
        assert_eq!(running.login(&account).status, 200, "{column:?}");
    }
    assert_eq!(running.database.time_travel().wrong_codes(&account.username), 0);
    let log = running.app.log().to_lowercase();
    assert!(log.contains("a sealed value that was changed or moved here"));
    for word in ["panic", "trap", "unreachable"] {
        assert!(!log.contains(word), "the log tells of a {word}:\n{log}");
    }
}

#[test]
fn what_belonged_to_the_credential_of_before_a_renewal_is_dead_and_so_is_an_unconfirmed_one() {
    let running = shared();
    let database = &running.database;
    let old = running.account("renewed");
    let before = Column::ALL.map(|column| (column, database.sealed(&old.username, Which::Live, column)));
    let token = running.renewal_token(&old);
    let start = running.client.start_with(&old.username, &token);
    // The renewal is under way: the new secrets do not open the live row.
    let password = running.client.password(&start.reveal);
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let unconfirmed =
        Column::ALL.map(|column| (column, database.sealed(&old.username, Which::Unconfirmed, column)));
    for (column, blob) in &unconfirmed {
        database.overwrite(&old.username, Which::Live, *column, blob);
    }
    let code = phone.code_at(database.now());
    assert_shut(
        &running.client.login(&old.username, &password, &code),
        "unconfirmed secrets in the live row",
    );
    for (column, blob) in &before {
        database.overwrite(&old.username, Which::Live, *column, blob);
    }
    // Nor do the old ones stand in for the new ones at the activation.
    let old_code = running.code(&old);
    for (column, blob) in &before {
        database.overwrite(&old.username, Which::Unconfirmed, *column, blob);
        assert_shut(
            &running.client.confirm(&start.enrollment, &old.password, &old_code),
            "old secrets confirmed",
        );
    }
    for (column, blob) in &unconfirmed {
        database.overwrite(&old.username, Which::Unconfirmed, *column, blob);
    }
    let confirmed = running.client.confirm(&start.enrollment, &password, &phone.code_at(database.now()));
    assert_eq!(confirmed.status, 200);
    // And once it is confirmed, the old ones are dead for good.
    let new = Account { password, authenticator: phone, ..old.clone() };
    for (column, blob) in before {
        stays_shut(running, &new, &old, "from before the renewal", || {
            database.overwrite(&old.username, Which::Live, column, &blob);
        });
    }
}

#[test]
fn a_copy_is_good_only_under_the_key_and_format_that_it_names() {
    let running = shared();
    let [victim, thief] = ["victim", "thief"].map(|hint| running.account(hint));
    let blob = running.database.sealed(&victim.username, Which::Live, Column::TotpSecret);
    assert_eq!(&blob[..8], b"\x01\x06test-2", "sealed with the first key of the ring");
    for (what, begin) in [
        ("another key of the ring", &b"\x01\x06test-1"[..]),
        ("a key that nobody has", b"\x01\x06test-9"),
        ("no key", b"\x01\x00test-2"),
        ("a newer format", b"\x02\x06test-2"),
        ("a text that is no id", b"\x01\x06../../"),
    ] {
        let changed = [begin, &blob[8..]].concat();
        stays_shut(running, &victim, &thief, what, || {
            running.database.overwrite(&victim.username, Which::Live, Column::TotpSecret, &changed);
        });
    }
}

/// The limit of sealing: a value says whose it is and where it stands, not when it was written. Who can write to the
/// database, and has a copy of it from before, can put back an earlier value of the very same credential.
#[test]
fn an_earlier_value_of_the_same_credential_cannot_be_told_from_the_newest() {
    let running = shared();
    let database = &running.database;
    let start = running.client.start(&running.username("earlier"));
    let password = running.client.password(&start.reveal);
    let first = running.client.enrolled(&start.enrollment).authenticator;
    let earlier = database.sealed(&start.username, Which::Unconfirmed, Column::TotpSecret);
    let second = running.client.enrolled(&start.enrollment).authenticator;
    let code = second.code_at(database.now());
    assert_eq!(running.client.confirm(&start.enrollment, &password, &code).status, 200);
    database.overwrite(&start.username, Which::Live, Column::TotpSecret, &earlier);
    database.time_travel().forget_used_steps(&start.username);
    let code = first.code_at(database.now());
    assert_eq!(running.client.login(&start.username, &password, &code).status, 200);
}

/// The second limit: what is not sealed is the database's word. Who can write to it decides which account a name leads to.
#[test]
fn which_account_a_name_leads_to_is_the_databases_word() {
    let running = shared();
    let [one, other] = ["one", "other"].map(|hint| running.account(hint));
    running.database.exchange_names(&one.username, &other.username);
    for name in [&one.username, &other.username] {
        running.database.time_travel().forget_used_steps(name);
    }
    let login =
        |name: &str, secrets: &Account| running.client.login(name, &secrets.password, &running.code(secrets));
    login(&one.username, &one).refused(401, "invalid_credentials");
    assert_eq!(login(&one.username, &other).ok(200)["username"], one.username.as_str());
}

/// The third limit: what is stored of a token is a hash without a key. Who can write to the database needs no secret of
/// anybody to be signed in.
#[test]
fn who_has_the_connection_string_and_knows_the_functions_opens_a_session() {
    let running = shared();
    let victim = running.account("written");
    let token = another_token(&victim.session);
    running.client.session(&token).refused(401, "session_invalid");
    running.database.write_session(&victim.username, &token);
    assert_eq!(running.client.session(&token).ok(200)["username"], victim.username.as_str());
}
