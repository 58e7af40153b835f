//! Runs fuzz targets over what is committed of their corpora, as ordinary tests do.

use std::fs;
use std::path::{Path, PathBuf};

/// A fuzz target: its name, and the function that panics when a property does not hold.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Runs each target over each file of `fuzz/corpus/<its name>`.
pub(crate) fn replay(targets: &[Target]) {
    for (name, target) in targets {
        for (file, data) in inputs(name) {
            println!("{}", file.display());
            target(&data);
        }
    }
}

/// The committed corpus of a target: each file and what is in it.
pub(crate) fn inputs(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let files: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("the corpus of {name}: {error}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() > 3, "the corpus of {name} has {} files", files.len());
    files.into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
}
