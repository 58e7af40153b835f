//! From a request's path to the name of a file in the folder.
//!
//! An allow-list, not a list of attacks: a name is made of segments of letters, digits, `-`, `_` and inner
//! single dots. So `..`, hidden files, empty segments, NUL, backslashes, and what is encoded twice have no name
//! here, and whoever adds a file with another name gets a 404 at once, not a hole later.

use crate::media_type::{self, MediaType};
use percent_encoding::percent_decode_str;

/// A file that may be served, if it exists.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Where it is, relative to the mounted folder; without a leading slash.
    pub file: String,
    /// What it is, by its extension.
    pub media_type: MediaType,
}

/// The page that `/` shows.
const INDEX: &str = "index";
/// The page of every unknown address; it has no address of its own.
pub(crate) const NOT_FOUND_PAGE: &str = "404.html";

/// The file that a path and query (RFC 9112 section 3.2.1) ask for, or `None` when they name nothing.
///
/// `/` is `index.html` and `/reveal` is `reveal.html`. Each page has exactly one address, so `/reveal.html`,
/// `/index` and `/404` name nothing.
pub(crate) fn resolve(path_and_query: &str) -> Option<Resource> {
    let path = path_and_query.split_once('?').map_or(path_and_query, |(path, _query)| path);
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(page(INDEX));
    }
    // Split first, decode then: an encoded slash is a character of a segment, and no allowed one.
    let segments = path.split('/').map(segment).collect::<Option<Vec<_>>>()?;
    let name = segments.join("/");
    match segments.last()?.rsplit_once('.') {
        None if name == INDEX || format!("{name}.html") == NOT_FOUND_PAGE => None,
        None => Some(page(&name)),
        Some((_, media_type::PAGE_EXTENSION)) => None,
        Some((_, extension)) => {
            Some(Resource { media_type: media_type::of_extension(extension)?, file: name })
        }
    }
}

/// A page by its name.
fn page(name: &str) -> Resource {
    Resource { file: format!("{name}.{}", media_type::PAGE_EXTENSION), media_type: media_type::PAGE }
}

/// One segment of the path, percent-decoded once, or `None` when it may not be part of a file's name.
fn segment(encoded: &str) -> Option<String> {
    let decoded = percent_decode_str(encoded).decode_utf8().ok()?;
    let plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    decoded.split('.').all(plain).then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::resolve;

    fn file(path: &str) -> Option<String> {
        resolve(path).map(|resource| resource.file)
    }

    #[test]
    fn pages_have_addresses_without_extension() {
        assert_eq!(file("/").as_deref(), Some("index.html"));
        assert_eq!(file("/?from=mail").as_deref(), Some("index.html"));
        assert_eq!(file("/reveal").as_deref(), Some("reveal.html"));
        assert_eq!(file("/reveal?a=/../b").as_deref(), Some("reveal.html"));
    }

    #[test]
    fn a_page_has_one_address_only() {
        for path in
            ["/index", "/index.html", "/reveal.html", "/reveal/", "/404", "/404.html", "/js/index.html"]
        {
            assert_eq!(file(path), None, "{path}");
        }
    }

    #[test]
    fn assets_keep_their_names() {
        assert_eq!(file("/favicon.svg").as_deref(), Some("favicon.svg"));
        assert_eq!(file("/js/api.js").as_deref(), Some("js/api.js"));
        assert_eq!(file("/js/messages.fr.js").as_deref(), Some("js/messages.fr.js"));
        assert_eq!(file("/%6As/api%2Ejs").as_deref(), Some("js/api.js"));
    }

    #[test]
    fn nothing_outside_the_folder_has_a_name() {
        let paths = [
            "",
            "*",
            "reveal",
            "//",
            "//reveal",
            "/js//api.js",
            "/js/",
            "/.",
            "/..",
            "/../Cargo.toml",
            "/js/../index",
            "/js/..",
            "/%2e%2e/secret.txt",
            "/%2E%2E%2Fsecret.txt",
            "/js%2Fapi.js",
            "/js%2f..%2f..%2fsecret.txt",
            "/%252e%252e/secret.txt",
            "/..%5Csecret.txt",
            "/..\\secret.txt",
            "/js\\api.js",
            "/api.js%00.html",
            "/%00",
            "/.env",
            "/js/.hidden.js",
            "/a..txt",
            "/api.js.",
            "/%",
            "/%zz",
            "/%ff",
            "/%C3%A9.txt",
            "/é.txt",
            "/a b.txt",
            "/a%20b.txt",
            "/con:.txt",
            "/js;x/api.js",
        ];
        for path in paths {
            assert_eq!(file(path), None, "{path}");
        }
    }

    #[test]
    fn unknown_extensions_name_nothing() {
        for path in ["/notes.md", "/a.wasm", "/backup.js~", "/api.js.map", "/x.HTML", "/archive.tar.gz"] {
            assert_eq!(file(path), None, "{path}");
        }
    }
}
