//! Reads `spin.toml`: exactly the part of Spin's manifest that this application uses. Whatever else stands in it is
//! refused by its name, because a key that is skipped here would mean something on Spin.
//!
//! What a template expands to is the business of [`crate::variables`], what a route matches of [`crate::routes`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A manifest of version 2, its paths resolved against its own folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    spin_manifest_version: i64,
    #[serde(rename = "application")]
    _application: Application,
    /// The application's variables, by name.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    trigger: Triggers,
    /// The components, by id.
    #[serde(rename = "component")]
    pub components: BTreeMap<String, Component>,
}

/// What says who the application is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "known, and of no use to the host")]
struct Application {
    name: String,
    version: Option<String>,
    description: Option<String>,
    authors: Option<Vec<String>>,
}

/// One variable of the application: required, or with a default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The value where nothing else gives one.
    pub default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(rename = "secret")]
    _secret: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    http: Vec<HttpTrigger>,
}

/// Which component answers which addresses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    /// An address, or all below one (`/...`).
    pub route: String,
    /// The id of the component.
    pub component: String,
}

/// One component: its code, and what it may see and reach.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The compiled component.
    pub source: PathBuf,
    #[serde(rename = "description")]
    _description: Option<IgnoredAny>,
    /// Folders that the component can read.
    #[serde(default)]
    pub files: Vec<Mount>,
    /// Templates of `postgres://host:port`.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// Templates of the only variables that the component can see.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(rename = "build")]
    _build: Option<Build>,
}

/// A folder of this machine as the component sees it, read-only.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// The folder here.
    pub source: PathBuf,
    /// Its path there.
    pub destination: String,
}

/// How `spin build` would make the component.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "known, and of no use to the host")]
struct Build {
    command: IgnoredAny,
    watch: Option<Vec<String>>,
    workdir: Option<PathBuf>,
}

impl Manifest {
    /// Reads the file and checks what can be checked without opening another one.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut manifest = Self::parse(&text).with_context(|| format!("in {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for component in manifest.components.values_mut() {
            component.source = folder.join(&component.source);
            for mount in &mut component.files {
                mount.source = folder.join(&mount.source);
            }
        }
        Ok(manifest)
    }

    /// Reads the text of a manifest; its paths stay as they are written.
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        ensure!(manifest.spin_manifest_version == 2, "spin_manifest_version is not 2");
        let mut routes = BTreeSet::new();
        for HttpTrigger { route, component } in &manifest.trigger.http {
            ensure!(
                manifest.components.contains_key(component),
                "the route {route} goes to the component {component}, which is not there"
            );
            ensure!(routes.insert(route), "the route {route} is there twice");
        }
        for (name, variable) in &manifest.variables {
            match (&variable.default, variable.required) {
                (None, false) => bail!("the variable {name} is neither required nor has it a default"),
                (Some(_), true) => bail!("the variable {name} is required, and has a default"),
                _ => {}
            }
        }
        Ok(manifest)
    }

    /// The routes, in the order of the file.
    pub fn routes(&self) -> &[HttpTrigger] {
        &self.trigger.http
    }
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    const SMALLEST: &str = "
        spin_manifest_version = 2
        [application]
        name = 'a'
        [[trigger.http]]
        route = '/...'
        component = 'c'
        [component.c]
        source = 'c.wasm'
    ";

    fn refusal(manifest: &str) -> String {
        format!("{:#}", Manifest::parse(manifest).unwrap_err())
    }

    #[test]
    fn the_manifest_of_this_repository_is_understood() {
        let manifest = Manifest::parse(include_str!("../../spin.toml")).unwrap();
        let components: Vec<&String> = manifest.components.keys().collect();
        assert_eq!(components, ["account", "fileserver", "password", "totp"]);
    }

    #[test]
    fn an_unknown_key_is_refused_by_its_name() {
        assert!(Manifest::parse(SMALLEST).is_ok());
        for (more, name) in [
            ("key_value_stores = ['default']", "key_value_stores"),
            ("environment = { A = 'b' }", "environment"),
            ("exclude_files = ['x']", "exclude_files"),
            ("files = ['static/*']", "string"),
            ("build = { command = 'make', profile = 'x' }", "profile"),
            ("[variables]\na = { default = '', sensitive = true }", "sensitive"),
            ("[[trigger.redis]]\nchannel = 'x'", "redis"),
            ("[application.trigger.http]\nbase = '/'", "trigger"),
        ] {
            let refusal = refusal(&format!("{SMALLEST}\n{more}"));
            assert!(refusal.contains(name), "{more}: {refusal}");
        }
    }

    #[test]
    fn another_version_a_route_to_nowhere_and_a_route_twice_are_refused() {
        assert!(refusal(&SMALLEST.replace("version = 2", "version = 1")).contains("spin_manifest_version"));
        assert!(refusal(&SMALLEST.replace("component = 'c'", "component = 'd'")).contains("component d"));
        let twice = "[[trigger.http]]\nroute = '/...'\ncomponent = 'c'";
        assert!(refusal(&format!("{SMALLEST}\n{twice}")).contains("/... is there twice"));
    }

    #[test]
    fn a_variable_is_either_required_or_has_a_default() {
        for wrong in ["v = {}", "v = { required = false }", "v = { required = true, default = 'x' }"] {
            let refusal = refusal(&format!("{SMALLEST}\n[variables]\n{wrong}"));
            assert!(refusal.contains("the variable v"), "{refusal}");
        }
    }
}
