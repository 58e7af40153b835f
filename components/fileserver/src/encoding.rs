//! gzip or not: what the client accepts (RFC 9110 section 12.5.3), and the compressing.
//!
//! The folder holds nothing secret and nothing that a client chose, so compression gives nothing away (BREACH).

use flate2::{Compression, write::GzEncoder};
use std::io::Write;

/// Smaller files fit in one packet either way.
const WORTH_COMPRESSING_BYTES: usize = 1024;

/// How a representation is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As it is.
    Identity,
    /// gzip, RFC 1952.
    Gzip,
}

/// The encoding for a compressible file of this size, given the values of `Accept-Encoding`, comma-separated.
pub(crate) fn negotiate(accept_encoding: Option<&str>, size_bytes: usize) -> Encoding {
    match accept_encoding {
        Some(accepted) if size_bytes >= WORTH_COMPRESSING_BYTES && prefers_gzip(accepted) => Encoding::Gzip,
        _ => Encoding::Identity,
    }
}

/// Whether gzip is accepted, and not less than an identity that was asked for by name.
fn prefers_gzip(accepted: &str) -> bool {
    let weight_of = |names: &[&str]| {
        accepted
            .split(',')
            .map(coding_and_weight)
            .find(|(coding, _)| names.iter().any(|name| coding.eq_ignore_ascii_case(name)))
            .map(|(_, weight)| weight)
    };
    // "x-gzip" is the same coding by an old name (RFC 9110 section 8.4.1.3).
    let gzip = weight_of(&["gzip", "x-gzip"]).or_else(|| weight_of(&["*"])).unwrap_or(0.0);
    gzip > 0.0 && gzip >= weight_of(&["identity"]).unwrap_or(0.0)
}

/// One member of the list. A weight that cannot be read counts as a refusal: plain is always safe.
fn coding_and_weight(member: &str) -> (&str, f32) {
    let Some((coding, parameter)) = member.split_once(';') else {
        return (member.trim(), 1.0);
    };
    let weight = parameter
        .split_once('=')
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .and_then(|(_, value)| value.trim().parse::<f32>().ok())
        .filter(|weight| (0.0..=1.0).contains(weight));
    (coding.trim(), weight.unwrap_or(0.0))
}

/// The bytes, compressed. `None` cannot happen with a buffer in memory, and then means: serve them as they are.
pub(crate) fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::{Encoding, gzip, negotiate, prefers_gzip};
    use std::io::Read;

    #[test]
    fn gzip_is_used_when_it_is_accepted() {
        for accepted in [
            "gzip",
            "GZIP",
            "x-gzip",
            "gzip, deflate, br",
            "br;q=1.0, gzip;q=0.8",
            "*",
            "identity;q=0.5, gzip;q=0.5",
        ] {
            assert!(prefers_gzip(accepted), "{accepted}");
        }
    }

    #[test]
    fn plain_is_served_when_gzip_is_not_wanted() {
        let refusals = [
            "",
            "br",
            "identity",
            "gzip;q=0",
            "gzip; q=0.000, *",
            "*;q=0",
            "gzip;q=0.1, identity;q=0.9",
            "gzip;q=x",
        ];
        for accepted in
            refusals.into_iter().chain(["gzip;q=2", "gzip;q=NaN", "gzip;level=9", "gzipped", ",;,=;"])
        {
            assert!(!prefers_gzip(accepted), "{accepted}");
        }
    }

    #[test]
    fn small_files_are_served_plain() {
        assert_eq!(negotiate(Some("gzip"), 1023), Encoding::Identity);
        assert_eq!(negotiate(Some("gzip"), 1024), Encoding::Gzip);
        assert_eq!(negotiate(None, 1_000_000), Encoding::Identity);
    }

    #[test]
    fn what_is_compressed_can_be_read_back() {
        let page = "<p>Mot de passe affiché.</p>\n".repeat(500);
        let packed = gzip(page.as_bytes()).expect("a buffer in memory");
        assert!(packed.len() < page.len() / 10);
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut unpacked).expect("valid gzip");
        assert_eq!(unpacked, page);
        assert_eq!(gzip(page.as_bytes()).expect("again"), packed, "the same input gives the same bytes");
    }
}
