//! The sealing keys, from where the service has them, and the randomness that sealing needs.

use std::{env, fs};

use anyhow::{Context, Result, bail};
use domain::{KeyRing, Randomness, RandomnessUnavailable};
use zeroize::Zeroizing;

const VARIABLE: &str = "SPIN_VARIABLE_SEALING_KEYS";
const FILE_VARIABLE: &str = "SEALING_KEYS_FILE";

/// Reads the ring. An error names an entry at most, never (a part of) a key.
pub fn ring() -> Result<KeyRing> {
    let value = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let (name, text) = match (value(VARIABLE), value(FILE_VARIABLE)) {
        (Some(text), None) => (VARIABLE, Zeroizing::new(text)),
        (None, Some(path)) => {
            (FILE_VARIABLE, Zeroizing::new(fs::read_to_string(&path).with_context(|| path.clone())?))
        }
        (None, None) => {
            bail!("neither {VARIABLE} nor {FILE_VARIABLE} is set: the service's own sealing_keys")
        }
        (Some(_), Some(_)) => bail!("{VARIABLE} and {FILE_VARIABLE} are both set: which one is meant?"),
    };
    // Editors end a file with a line break; the ring itself has none.
    let ring = text.strip_suffix('\n').unwrap_or(&text);
    KeyRing::parse(ring).with_context(|| name)
}

/// The operating system's random source.
pub struct OperatingSystemRandomness;

impl Randomness for OperatingSystemRandomness {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of this tool that draws; the edge's is Spin's"
    )]
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        getrandom::fill(bytes).map_err(|_| RandomnessUnavailable)
    }
}
