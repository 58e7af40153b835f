//! The fileserver's parsers, which no library offers: a component that were one too would be built without LTO.

#[path = "../../components/fileserver/src/encoding.rs"]
mod encoding;
#[path = "../../components/fileserver/src/entity_tag.rs"]
mod entity_tag;
#[path = "../../components/fileserver/src/fuzz.rs"]
pub mod fileserver;
#[path = "../../components/fileserver/src/media_type.rs"]
mod media_type;
#[path = "../../components/fileserver/src/resolve.rs"]
mod resolve;
