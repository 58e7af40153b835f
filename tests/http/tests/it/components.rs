//! What the built components are: small, and in want of nothing that Spin 3.6 does not have.

use std::collections::BTreeSet;
use std::fs;

use harness::workspace;
use wasmparser::{Parser, Payload};

const COMPONENTS: [&str; 4] = ["password", "totp", "account", "fileserver"];
/// The most a component may weigh (issue: under 700 KB).
const BYTES_MAX: usize = 700 * 1000;

/// The names of the interfaces that a component wants from its host.
fn imports(component: &[u8]) -> BTreeSet<String> {
    let mut imports = BTreeSet::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("the component is well-formed") {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                imports.extend(section.into_iter().map(|import| import.unwrap().name.name.to_owned()));
            }
            _ => {}
        }
    }
    imports
}

#[test]
fn a_component_imports_what_spin_has_and_nothing_else() {
    for name in COMPONENTS {
        let imports = imports(&fs::read(workspace::component(name)).unwrap());
        assert!(!imports.is_empty(), "{name} imports nothing, which cannot be");
        for import in &imports {
            let wasi = import.starts_with("wasi:") && import.contains("@0.2.");
            let spin =
                ["fermyon:spin/variables@2.0.0", "spin:postgres/postgres@4.0.0"].contains(&import.as_str());
            assert!(wasi || spin, "{name} imports {import}");
        }
        let database = imports.contains("spin:postgres/postgres@4.0.0");
        assert_eq!(database, name != "fileserver", "{name} and the database");
    }
}

#[test]
fn a_component_weighs_less_than_700_kilobytes() {
    for name in COMPONENTS {
        let bytes = fs::metadata(workspace::component(name)).unwrap().len();
        assert!(bytes < BYTES_MAX as u64, "{name} has {bytes} bytes");
    }
}
