//! Reading Spin variables. A variable that is missing or empty is a fault whose line names it; its value, and texts of
//! a provider that might quote it, are never part of a line.

use spin_sdk::variables;

use crate::fault::Fault;

/// The value of a variable.
///
/// # Errors
/// A [`Fault`] that says what is wrong with it.
pub(crate) fn read(name: &'static str) -> Result<String, Fault> {
    check(name, variables::get(name))
}

fn check(name: &str, value: Result<String, variables::Error>) -> Result<String, Fault> {
    match value {
        Ok(value) if value.trim().is_empty() => Err(fault(name, "is empty")),
        Ok(value) => Ok(value),
        Err(variables::Error::Undefined(_)) => Err(fault(name, "is not set")),
        Err(variables::Error::InvalidName(_)) => Err(fault(name, "is no name that Spin knows")),
        Err(variables::Error::Provider(_)) => Err(fault(name, "could not be had from its provider")),
        Err(variables::Error::Other(_)) => Err(fault(name, "could not be read")),
    }
}

/// What is wrong with a variable.
pub(crate) fn fault(name: &str, what: impl std::fmt::Display) -> Fault {
    Fault::new(format!("variable {name} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_the_variable_and_never_its_value() {
        let secret = || "s3cret".to_owned();
        let cases = [
            (Ok(String::new()), "variable pg_dsn is empty"),
            (Ok(" \n".to_owned()), "variable pg_dsn is empty"),
            (Err(variables::Error::Undefined(secret())), "variable pg_dsn is not set"),
            (Err(variables::Error::InvalidName(secret())), "variable pg_dsn is no name that Spin knows"),
            (Err(variables::Error::Provider(secret())), "variable pg_dsn could not be had from its provider"),
            (Err(variables::Error::Other(secret())), "variable pg_dsn could not be read"),
        ];
        for (value, sentence) in cases {
            assert_eq!(check("pg_dsn", value), Err(Fault::new(sentence)));
        }
        assert_eq!(check("issuer", Ok("COFRAP".to_owned())), Ok("COFRAP".to_owned()));
    }
}
