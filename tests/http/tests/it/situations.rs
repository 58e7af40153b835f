//! The table of situations itself: complete, and true.

use std::collections::BTreeSet;

use harness::contract::Contract;
use harness::shared;
use harness::situations::{self, Person, operations};

#[test]
fn every_operation_of_the_document_stands_in_the_table_and_no_other_does() {
    let documented = Contract::get().operations();
    let documented: BTreeSet<String> =
        documented.iter().map(|(path, method, _)| format!("{method} {path}")).collect();
    assert_eq!(situations::names(), documented);
}

#[test]
fn a_body_stands_in_the_table_where_the_document_requires_one_and_is_one_that_it_takes() {
    for operation in operations() {
        let (name, body) = (&operation.name, operation.body(&Person::stranger()));
        assert_eq!(body.is_some(), operation.requires_body(), "{name}");
        if let Some(body) = body {
            let schema = Contract::get().compile(operation.body_schema().unwrap()).unwrap();
            assert!(schema.is_valid(&body), "{name} {body}");
        }
    }
}

#[test]
fn whoever_is_in_a_situation_gets_the_answer_that_the_table_says() {
    let running = shared();
    for operation in operations() {
        for (situation, status) in &operation.entry.situations {
            let person = running.person(*situation);
            let answer = operation.request(&running.client, &person).send();
            assert_eq!(answer.status, *status, "{} {situation:?}", operation.name);
        }
        let is_served = operation.entry.situations.values().any(|status| *status < 300);
        assert!(is_served, "{} serves nobody", operation.name);
    }
}
