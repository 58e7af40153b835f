//! Runs fuzz targets over what is committed of their corpora, as ordinary tests do.

use std::fs;
use std::path::Path;

/// A fuzz target: its name, and the function that panics when a property does not hold.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Runs each target over each file of `fuzz/corpus/<its name>`.
pub(crate) fn replay(targets: &[Target]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in targets {
        let files: Vec<_> = fs::read_dir(folder.join(name))
            .unwrap_or_else(|error| panic!("the corpus of {name}: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(files.len() > 3, "the corpus of {name} has {} files", files.len());
        for file in files {
            println!("{}", file.display());
            target(&fs::read(file).unwrap());
        }
    }
}
