//! The same commit gives the same components in every folder (`make reproducible` builds them twice to show it). What breaks
//! that first is a path of the machine, so every run of the tests looks for those.

use std::collections::BTreeSet;
use std::process::Command;

use tidy::{files, root};

/// The paths of Rust sources that a component names, for its panics.
fn named_sources(component: &[u8]) -> BTreeSet<String> {
    let is_of_a_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+@".contains(byte);
    component
        .split(|byte| !is_of_a_path(byte))
        .filter_map(|text| std::str::from_utf8(text).ok())
        .flat_map(|text| text.split_inclusive(".rs"))
        .filter(|text| text.ends_with(".rs") && text.contains('/'))
        .map(str::to_owned)
        .collect()
}

fn holds(component: &[u8], text: &str) -> bool {
    component.windows(text.len()).any(|window| window == text.as_bytes())
}

fn sysroot() -> String {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_components_hold_no_path_of_the_machine_that_built_them() {
    let mut ours = vec![root().to_str().unwrap().to_owned(), sysroot()];
    ours.extend(["HOME", "CARGO_HOME"].into_iter().filter_map(|name| std::env::var(name).ok()));
    let components = files("target/components", ".wasm");
    assert_eq!(components.len(), 4, "make build builds them");
    for file in components {
        let component = std::fs::read(root().join(&file)).unwrap();
        for path in ours.iter().filter(|path| path.len() > 1) {
            assert!(!holds(&component, path), "{} holds {path}", file.display());
        }
        let sources = named_sources(&component);
        assert!(!sources.is_empty(), "{} names the sources of its panics", file.display());
        for source in sources.iter().filter(|source| source.starts_with('/')) {
            // Where `scripts/build-components` maps ours, where rustup's library was built, where Debian's lies.
            let known = ["/identity/", "/cargo/", "/rustc/", "/rust/deps/", "/usr/"];
            assert!(known.iter().any(|from| source.starts_with(from)), "{} names {source}", file.display());
        }
    }
}
