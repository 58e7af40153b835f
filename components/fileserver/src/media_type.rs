//! What a file is, by its extension. What is not in this table is not served: a guess such as
//! `application/octet-stream` would only hide that somebody put a file here which nobody decided on.

/// A media type, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// Whether compressing it is worth the time; images of pixels are compressed already.
    pub compressible: bool,
}

const fn text(content_type: &'static str) -> MediaType {
    MediaType { content_type, compressible: true }
}

const fn packed(content_type: &'static str) -> MediaType {
    MediaType { content_type, compressible: false }
}

/// The extension of pages, which their addresses leave out.
pub(crate) const PAGE_EXTENSION: &str = "html";
/// The type of pages.
pub(crate) const PAGE: MediaType = text("text/html; charset=utf-8");
/// The type of the few words that this component writes itself.
pub(crate) const PLAIN_TEXT: MediaType = text("text/plain; charset=utf-8");

/// The media type of an extension (without its dot), or `None` when it is not served.
///
/// JSON and YAML have no `charset` parameter: they are UTF-8 by definition (RFC 8259 section 8.1, RFC 9512
/// section 2.1).
pub(crate) fn of_extension(extension: &str) -> Option<MediaType> {
    Some(match extension {
        PAGE_EXTENSION => PAGE,
        "css" => text("text/css; charset=utf-8"),
        "js" => text("text/javascript; charset=utf-8"),
        "svg" => text("image/svg+xml; charset=utf-8"),
        "txt" => PLAIN_TEXT,
        "json" => text("application/json"),
        "yaml" => text("application/yaml"),
        "ico" => packed("image/x-icon"),
        "png" => packed("image/png"),
        "woff2" => packed("font/woff2"),
        _ => return None,
    })
}
