//! The functions of the database that this release calls: generated from the `.sql` files beside the operations.

use crate::database::Call;

/// A function as `identity-ops migrate` installs it.
#[derive(Debug)]
pub struct Definition {
    /// The file that it comes from, below `src`.
    pub file: &'static str,
    /// Its name in the schema `identity`: a hash of its text and of all that it calls is part of it.
    pub name: &'static str,
    /// The types of its parameters, as `regprocedure` reads them.
    pub types: &'static str,
    /// What it is for, and so who may call it.
    pub kind: Kind,
    /// `sql` or `plpgsql`.
    pub language: &'static str,
    /// `STABLE`; else `VOLATILE`.
    pub is_stable: bool,
    /// What it sets while it runs, as `name = value`.
    pub settings: &'static [&'static str],
    /// Its text, as `pg_proc.prosrc` has it.
    pub body: &'static str,
    /// `CREATE OR REPLACE FUNCTION ...`, without rights.
    pub create: &'static str,
}

/// What a function is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One statement, which the application may call. It runs as the owner, so it may do what its caller may not.
    Entry,
    /// An expression that statements share. PostgreSQL puts it in the place of its call.
    Word,
    /// A query of one value, with a plan of its own.
    Helper,
    /// A block of statements that the owner calls.
    Routine,
}

include!(concat!(env!("OUT_DIR"), "/functions.rs"));
