//! Pages that are only read.

use crate::person::Person;

pub(super) fn home(person: &Person<'_>) {
    person.visit("/");
}

pub(super) fn not_found(person: &Person<'_>) {
    person.visit("/nothing-here");
}

pub(super) fn unavailable(person: &Person<'_>) {
    person.visit("/unavailable");
}
