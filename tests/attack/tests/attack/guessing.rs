//! What somebody can find out by trying: no more than the schedule allows, from wherever and however it is tried.

use attack::arena::AT_ONCE;
use attack::arena::early_in_a_step;
use attack::history::{Guessing, wait_minutes};
use attack::size::figure;
use attack::{Arena, Isolation, Size, arena};
use harness::authenticator::STEP_SECONDS;
use harness::barrier::{tally, together};
use harness::journey::{Account, another_password};

/// Headers by which some services tell one client from another, and that every client can write itself.
const FORGED: &[(&str, &str)] = &[
    ("x-forwarded-for", "203.0.113.7"),
    ("x-real-ip", "203.0.113.8"),
    ("forwarded", "for=203.0.113.9;host=evil.test;proto=http"),
    ("x-forwarded-host", "evil.test"),
    ("x-forwarded-proto", "http"),
    ("spin-client-addr", "203.0.113.10:4711"),
    ("spin-path-info", "/health"),
    ("spin-full-url", "http://evil.test/api/health"),
    ("spin-matched-route", "/api/health"),
    ("user-agent", "another"),
    ("date", "Mon, 01 Jan 2035 00:00:00 GMT"),
    ("x-request-id", "1"),
];

/// Wrong codes after the right password, all in one moment; returns how many were judged.
fn guess_at_once(arena: &Arena, account: &Account) -> usize {
    let codes: Vec<String> =
        account.authenticator.wrong_codes_at(arena.database().now()).take(AT_ONCE).collect();
    let since = arena.database().time_travel().events(&account.username).len();
    let before = arena.database().standing(&account.username).wrong_codes;
    let answers =
        together(arena.volley(|client, number| {
            client.login_request(&account.username, &account.password, &codes[number])
        }));
    let events = arena.database().time_travel().events(&account.username).split_off(since);
    let after = Guessing::after(before).through(&events);
    let standing = arena.database().standing(&account.username);
    assert_eq!(standing.wrong_codes, after.wrong_codes);
    let refused = answers.iter().filter(|answer| answer.code() == "invalid_credentials").count();
    assert_eq!(refused, after.judged, "{:?}", tally(&answers));
    for waiting in answers.iter().filter(|answer| answer.status == 429) {
        let seconds: i64 = waiting.header("retry-after").unwrap().parse().unwrap();
        // It counts from when a statement began: who waited for a lock is told the time of the wait on top.
        let difference = seconds - wait_minutes(after.wrong_codes) * 60;
        assert!((-30..=30).contains(&difference), "{seconds} after {after:?}");
    }
    after.judged
}

#[test]
fn each_wait_buys_one_guess_however_many_are_made_at_once_and_the_hundredth_is_the_last() {
    let arena = arena(Isolation::AsShipped);
    let travel = arena.database().time_travel();
    let account = arena.running.account("schedule");
    assert_eq!(guess_at_once(arena, &account), 5, "five before the first wait");
    let every = i32::try_from(Size::of_this_run().pick(31, 1)).unwrap();
    let mut volleys = 1;
    for wrong_codes in (6..=100).filter(|number| number % every == 0 || *number == 100) {
        travel.set_wrong_codes(&account.username, wrong_codes - 1);
        assert_eq!(guess_at_once(arena, &account), 1, "wrong code {wrong_codes}");
        volleys += 1;
    }
    assert_eq!(travel.state(&account.username).as_deref(), Some("suspended"));
    let code = arena.running.fresh_code(&account);
    let login = |process: usize| arena.client(process).login(&account.username, &account.password, &code);
    login(0).refused(403, "account_suspended");
    login(1).refused(403, "account_suspended");
    travel.release(&account.username);
    assert_eq!(arena.database().standing(&account.username).wrong_codes, 0);
    assert_eq!(login(1).status, 200);
    figure(&format!("{volleys} volleys of {AT_ONCE}"));
}

#[test]
fn wrong_codes_at_the_activation_buy_one_guess_for_each_wait_and_the_twentieth_ends_the_start() {
    let arena = arena(Isolation::AsShipped);
    let travel = arena.database().time_travel();
    let start = arena.running.client.start(&arena.running.username("start-schedule"));
    let password = arena.running.client.password(&start.reveal);
    let phone = arena.running.client.enrolled(&start.enrollment).authenticator;
    let mut counted = 0;
    while counted < 20 {
        let codes: Vec<String> = phone.wrong_codes_at(arena.database().now()).take(AT_ONCE).collect();
        let answers =
            together(arena.volley(|client, number| {
                client.confirm_request(&start.enrollment, &password, &codes[number])
            }));
        // Every judged code changes the revision, so that the others were checked against what is no longer so.
        let judged = answers.iter().filter(|answer| answer.code() == "invalid_credentials").count();
        counted += judged;
        let standing = arena.database().standing(&start.username).start.unwrap();
        assert_eq!(usize::try_from(standing.wrong_codes).unwrap(), counted, "{:?}", tally(&answers));
        let most = if counted > 5 { 1 } else { 5 };
        assert!((1..=most).contains(&judged), "{judged} were judged: {:?}", tally(&answers));
        let allowed =
            ["invalid_credentials", "superseded", "too_many_attempts", "token_invalid"].map(str::to_owned);
        assert!(tally(&answers).keys().all(|(_, code)| allowed.contains(code)), "{:?}", tally(&answers));
        if standing.is_waiting {
            travel.end_wait(&start.username);
        }
    }
    let code = phone.code_at(arena.database().now());
    arena.client(1).confirm(&start.enrollment, &password, &code).refused(401, "token_invalid");
    assert_eq!(arena.client(0).start(&start.username).username, start.username, "the name is free");
}

#[test]
fn wrong_codes_count_in_every_process_and_survive_a_restart() {
    let mut arena = Arena::start(Isolation::AsShipped);
    let account = arena.running.account("restarts");
    for process in [0, 1, 1, 0] {
        let wrong = arena.running.wrong_code(&account);
        let answer = arena.client(process).login(&account.username, &account.password, &wrong);
        answer.refused(401, "invalid_credentials");
    }
    arena.restart_the_second();
    let wrong = arena.running.wrong_code(&account);
    let login = |code: &str| arena.client(1).login(&account.username, &account.password, code);
    login(&wrong).refused(401, "invalid_credentials");
    let code = arena.running.fresh_code(&account);
    login(&code).refused(429, "too_many_attempts");
    arena.running.client.login(&account.username, &account.password, &code).refused(429, "too_many_attempts");
    arena.restart_the_second();
    let after = arena.client(1).login(&account.username, &account.password, &code);
    after.refused(429, "too_many_attempts");
    arena.database().time_travel().end_wait(&account.username);
    assert_eq!(arena.client(1).login(&account.username, &account.password, &code).status, 200);
}

#[test]
fn who_does_not_know_the_password_shuts_nobody_out() {
    let arena = arena(Isolation::AsShipped);
    let account = arena.running.account("open");
    let wrong = another_password(&account.password);
    let code = arena.running.fresh_code(&account);
    let before = arena.database().rows_of(&account.username);
    let volleys = Size::of_this_run().pick(3, 60);
    for _ in 0..volleys {
        let answers = together(arena.volley(|client, number| match number % 5 {
            // All that knowing a name lets one try.
            0 => client.start_request(&account.username),
            1 => client.start_request(&account.username).bearer(&account.start.enrollment),
            2 => client.reveal_request(&account.start.reveal),
            3 => client.confirm_request(&account.start.enrollment, &wrong, &code),
            _ => client.login_request(&account.username, &wrong, &code),
        }));
        assert!(answers.iter().all(|answer| (400..429).contains(&answer.status)), "{:?}", tally(&answers));
        assert_eq!(arena.database().rows_of(&account.username), before, "not one row was touched");
    }
    let code = arena.running.fresh_code(&account);
    let login = arena.client(1).login(&account.username, &account.password, &code);
    assert_eq!(login.status, 200, "at the first try");
    assert_eq!(arena.client(0).session(&account.session).status, 200);
    figure(&format!("{} attempts before the owner's login", volleys * AT_ONCE));
}

#[test]
fn a_header_that_a_client_can_write_changes_neither_a_wait_nor_an_answer() {
    let arena = arena(Isolation::AsShipped);
    let account = arena.running.account("forged");
    let client = &arena.running.client;
    let login = |code: &str, headers: &[(&str, &str)]| {
        let request = client.login_request(&account.username, &account.password, code);
        headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
    };
    let plain = client.login("nobody-of-this-name", &account.password, "123456");
    for (number, header) in FORGED.iter().enumerate() {
        if number % 4 == 0 {
            arena.database().time_travel().set_wrong_codes(&account.username, 0);
        }
        let wrong = arena.running.wrong_code(&account);
        let answer = login(&wrong, &[*header]);
        assert_eq!(answer.without_date(), plain.without_date(), "{header:?}");
    }
    let wrong = arena.running.wrong_code(&account);
    login(&wrong, FORGED).refused(401, "invalid_credentials");
    let right = arena.running.fresh_code(&account);
    for header in FORGED {
        login(&right, &[*header]).refused(429, "too_many_attempts");
    }
    login(&right, &[("host", "127.0.0.1")]).refused(429, "too_many_attempts");
    let start = client.start_request(&arena.running.username("forged-start"));
    let start = FORGED.iter().fold(start, |request, (name, value)| request.header(name, value)).send();
    assert!(start.ok(201)["reveal_url"].as_str().unwrap().starts_with(harness::app::PUBLIC_URL));
}

#[test]
fn a_used_code_in_another_spelling_is_no_code_and_no_guess() {
    let arena = arena(Isolation::AsShipped);
    let account = arena.running.account("spelled");
    let code = arena.running.fresh_code(&account);
    assert_eq!(arena.client(0).login(&account.username, &account.password, &code).status, 200);
    let before = arena.database().rows_of(&account.username);
    let wide: String = code.chars().map(|digit| char::from_u32(digit as u32 + 0xfee0).unwrap()).collect();
    for spelling in [
        format!(" {code}"),
        format!("{code} "),
        format!("{code}\n"),
        format!("{} {}", &code[..3], &code[3..]),
        format!("+{code}"),
        format!("0{code}"),
        wide,
    ] {
        let answer = arena.client(1).login(&account.username, &account.password, &spelling);
        answer.refused(422, "invalid_request");
    }
    assert_eq!(arena.database().rows_of(&account.username), before);
    arena.client(1).login(&account.username, &account.password, &code).refused(401, "invalid_credentials");
}

#[test]
fn an_account_that_is_suspended_in_the_middle_of_a_renewal_is_closed_at_every_door() {
    let arena = arena(Isolation::AsShipped);
    let account = arena.running.account("closed");
    let [token, spare] = [0, 1].map(|_| arena.running.renewal_token(&account));
    let start = arena.running.client.start_with(&account.username, &token);
    arena.database().time_travel().suspend(&account.username);
    let before = arena.database().rows_of(&account.username);
    let client = arena.client(1);
    let code = arena.running.code(&account);
    for token in [&spare, &start.enrollment] {
        client.start_request(&account.username).bearer(token).send().refused(401, "token_invalid");
    }
    client.start_request(&account.username).send().refused(409, "username_taken");
    client.poll(&start.enrollment).refused(401, "token_invalid");
    client.reveal(&start.reveal).refused(404, "token_unknown");
    client.enroll(&start.enrollment).refused(401, "token_invalid");
    client.confirm(&start.enrollment, &account.password, &code).refused(401, "token_invalid");
    client.login(&account.username, &account.password, &code).refused(403, "account_suspended");
    client.session(&account.session).refused(401, "session_invalid");
    client.logout(&account.session).refused(401, "session_invalid");
    assert_eq!(arena.database().rows_of(&account.username), before);
}

#[test]
fn names_that_nobody_has_leave_events_and_no_other_row() {
    let arena = Arena::start(Isolation::AsShipped);
    let count = Size::of_this_run().pick(2, 200) * AT_ONCE;
    let password = "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!";
    let (rows, events) = (arena.database().rows_without_events(), arena.database().events());
    for volley in 0..count / AT_ONCE {
        let answers = together(arena.volley(|client, number| {
            client.login_request(&format!("x{volley}-{number}"), password, "123456")
        }));
        arena.assert_answers(&answers, [(401, "invalid_credentials", AT_ONCE)]);
    }
    assert_eq!(arena.database().rows_without_events(), rows);
    let left = usize::try_from(arena.database().events() - events).unwrap();
    assert_eq!(left, count, "one event for each");
    figure(&format!("{count} names"));
}

#[test]
fn a_code_that_was_used_is_refused_in_its_own_step_and_in_the_next_one() {
    let arena = arena(Isolation::AsShipped);
    let account = arena.running.account("next-step");
    arena.database().time_travel().forget_used_steps(&account.username);
    let now = early_in_a_step(arena.database());
    let codes = [now - STEP_SECONDS, now, now + STEP_SECONDS].map(|time| account.authenticator.code_at(time));
    let login =
        |process: usize, code: &str| arena.client(process).login(&account.username, &account.password, code);
    for newest in 0..codes.len() {
        assert_eq!(login(newest, &codes[newest]).status, 200);
        for (process, used) in codes[..=newest].iter().enumerate() {
            login(process, used).refused(401, "invalid_credentials");
        }
    }
    assert_eq!(arena.database().standing(&account.username).wrong_codes, 0);
}
