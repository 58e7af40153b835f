//! The values of the application's variables, and the templates that hand them to the components.
//!
//! As in Spin, a value comes from the environment (`SPIN_VARIABLE_` and the name in capitals), else from the file `.env`
//! of the working folder, else from the manifest. Values may be secrets: no error here contains one.

use std::collections::{BTreeMap, HashMap};
use std::env::{self, VarError};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::manifest::Variable;

/// Every variable of the application with its value.
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Asks `source` for each declared variable, by its name in the environment. What is required and not there is
    /// named, all of it at once.
    pub fn resolve(
        declared: &BTreeMap<String, Variable>,
        source: impl Fn(&str) -> Result<Option<String>>,
    ) -> Result<Self> {
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in declared {
            if let Some(why) = why_invalid(name) {
                bail!("the variable {name:?} {why}");
            }
            let variable_name = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
            match source(&variable_name)?.or_else(|| variable.default.clone()) {
                Some(value) => drop(values.insert(name.clone(), value)),
                None => missing.push(variable_name),
            }
        }
        ensure!(
            missing.is_empty(),
            "required, and neither in the environment nor in .env: {}",
            missing.join(", ")
        );
        Ok(Self(values))
    }

    /// The text of a template, with each `{{ name }}` replaced.
    pub fn expand(&self, template: &str) -> Result<String> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) =
                after.split_once("}}").ok_or_else(|| anyhow!("{template:?} has a {{{{ without }}}}"))?;
            let name = name.trim();
            let value =
                self.0.get(name).ok_or_else(|| anyhow!("{template:?}: no variable is called {name:?}"))?;
            text.push_str(before);
            text.push_str(value);
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// The environment of this process, and the file of that path where there is one.
pub fn environment(dotenv: &Path) -> Result<impl Fn(&str) -> Result<Option<String>> + use<>> {
    let mut file = HashMap::new();
    if dotenv.exists() {
        let lines =
            dotenvy::from_path_iter(dotenv).with_context(|| format!("cannot read {}", dotenv.display()))?;
        for line in lines {
            // The parser's own error quotes the line, which may hold a secret.
            let (name, value) =
                line.map_err(|_| anyhow!("a line of {} is not NAME=value", dotenv.display()))?;
            file.insert(name, value);
        }
    }
    Ok(move |name: &str| match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(file.get(name).cloned()),
        Err(VarError::NotUnicode(_)) => bail!("{name} is not UTF-8"),
    })
}

/// What is wrong with the name of a variable, by Spin's rules.
pub fn why_invalid(name: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.chars().all(allowed) {
        Some("may contain only lower-case letters, digits and underscores")
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        Some("must start with a letter")
    } else if name.ends_with('_') || name.contains("__") {
        Some("must not end in an underscore, nor have two in a row")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::{Variables, environment, why_invalid};
    use crate::manifest::Variable;

    fn declared(toml: &str) -> BTreeMap<String, Variable> {
        toml::from_str(toml).unwrap()
    }

    fn variables(values: &[(&str, &str)]) -> Variables {
        Variables(values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    #[test]
    fn the_environment_beats_the_file_and_the_file_beats_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let dotenv = folder.path().join(".env");
        // PATH is in the environment of every test; the other two only in the file.
        fs::write(&dotenv, "# a comment\nPATH=/file\nSPIN_VARIABLE_B='of the file'\n").unwrap();
        let source = environment(&dotenv).unwrap();
        assert_ne!(source("PATH").unwrap().unwrap(), "/file");

        let declared = declared("a = { default = 'of the manifest' }\nb = { default = 'of the manifest' }");
        let values = Variables::resolve(&declared, source).unwrap();
        assert_eq!(values.expand("{{ a }}").unwrap(), "of the manifest");
        assert_eq!(values.expand("{{ b }}").unwrap(), "of the file");
    }

    #[test]
    fn no_file_is_no_error_and_a_broken_one_is_refused_without_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let dotenv = folder.path().join(".env");
        assert!(environment(&dotenv).is_ok());
        fs::write(&dotenv, "SPIN_VARIABLE_A='hunter2\n").unwrap();
        let refusal = format!("{:?}", environment(&dotenv).err().unwrap());
        assert!(refusal.contains(".env") && !refusal.contains("hunter2"), "{refusal}");
    }

    #[test]
    fn every_missing_variable_is_named() {
        let declared = declared("a = { required = true }\nb = { default = '' }\nc = { required = true }");
        let refusal = Variables::resolve(&declared, |_| Ok(None)).err().unwrap().to_string();
        assert!(refusal.contains("SPIN_VARIABLE_A, SPIN_VARIABLE_C"), "{refusal}");
    }

    #[test]
    fn a_template_has_text_around_its_names() {
        let values = variables(&[("host", "127.0.0.1"), ("port", "5432")]);
        assert_eq!(values.expand("postgres://{{ host }}:{{port}}").unwrap(), "postgres://127.0.0.1:5432");
        assert_eq!(values.expand("plain").unwrap(), "plain");
        assert!(values.expand("{{ hots }}").unwrap_err().to_string().contains("hots"));
        assert!(values.expand("{{ host").is_err());
    }

    #[test]
    fn names_follow_the_rules_of_spin() {
        for name in ["a", "pg_dsn", "a1", "a_1"] {
            assert_eq!(why_invalid(name), None, "{name}");
        }
        for name in ["", "A", "1a", "_a", "a_", "a__b", "a-b", "é"] {
            assert!(why_invalid(name).is_some(), "{name}");
        }
    }
}
