//! What holds for any input of this crate's parsers. A fuzzer looks for input that breaks it (`fuzz/`); the tests run the
//! same functions over the committed corpus. Compiled for these two only.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a property that does not hold")]

#[cfg(test)]
#[path = "../../../fuzz/corpus.rs"]
mod corpus;

use std::path::{Component, Path};
use std::str::from_utf8;

use crate::encoding::{Encoding, negotiate};
use crate::entity_tag::none_match_holds;
use crate::media_type;
use crate::resolve::{NOT_FOUND_PAGE, resolve};

/// A path names a file below the folder, of a known type, that is not hidden; and a file has one plain address.
pub fn file_path(data: &[u8]) {
    let Some((asked, resource)) = from_utf8(data).ok().and_then(|asked| Some((asked, resolve(asked)?)))
    else {
        return;
    };
    let file = resource.file;
    assert!(Path::new(&file).components().all(|part| matches!(part, Component::Normal(_))), "{file}");
    assert!(file.split('/').all(|part| !part.is_empty() && !part.starts_with('.')), "{file}");
    assert!(file.bytes().all(|sign| sign.is_ascii_alphanumeric() || b"-_./".contains(&sign)), "{file}");
    assert_ne!(file, NOT_FOUND_PAGE);
    assert!(media_type::of_extension(file.rsplit('.').next().unwrap()) == Some(resource.media_type));
    let address = match file.strip_suffix(".html") {
        Some("index") => "/".to_owned(),
        Some(page) => format!("/{page}"),
        None => format!("/{file}"),
    };
    assert_eq!(resolve(&address).map(|again| again.file), Some(file), "{asked}");
}

/// gzip only where somebody asked for it; what is said first counts.
pub fn accept_encoding(data: &[u8]) {
    let Ok(accepted) = from_utf8(data) else { return };
    let encoding = negotiate(Some(accepted), 10_000);
    let asks = accepted.to_ascii_lowercase().contains("gzip") || accepted.contains('*');
    assert!(encoding == Encoding::Identity || asks);
    assert_eq!(negotiate(Some(accepted), 100), Encoding::Identity);
    assert_eq!(negotiate(Some(&format!("gzip;q=0,{accepted}")), 10_000), Encoding::Identity);
    assert_eq!(negotiate(Some(&format!("gzip,{accepted}")), 10_000), Encoding::Gzip);
}

/// A tag is found only where it stands, and before whatever else stands there.
pub fn if_none_match(data: &[u8]) {
    const TAG: &str = "\"0123456789abcdefABCDEF\"";
    let Ok(tags) = from_utf8(data) else { return };
    if none_match_holds(tags, TAG) {
        assert!(tags.trim() == "*" || tags.contains(TAG));
    }
    assert!(none_match_holds(&format!("{TAG},{tags}"), TAG));
    assert!(none_match_holds(&format!("\"{}\", W/{TAG}", tags.replace('"', "")), TAG));
}

#[test]
fn every_property_holds_over_its_corpus() {
    corpus::replay(&[
        ("file_path", file_path),
        ("accept_encoding", accept_encoding),
        ("if_none_match", if_none_match),
    ]);
}
