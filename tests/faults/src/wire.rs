//! PostgreSQL's messages as they come over a connection (its manual, chapter 55, "Message Formats"): enough to know
//! where one ends and what it is.

use std::io::{self, Read};

/// The kind of the first message, which has no letter of its own.
pub(crate) const STARTUP: u8 = 0;
/// The end of what a client sends before it waits: `Sync`.
pub(crate) const SYNC: u8 = b'S';
/// A whole exchange in one message: `Query`.
pub(crate) const QUERY: u8 = b'Q';
/// The end of what the server answers: `ReadyForQuery`. What ran is committed by then.
pub(crate) const READY: u8 = b'Z';

/// A message.
pub(crate) struct Message {
    /// Its letter; what a letter means depends on who sends it.
    pub(crate) kind: u8,
    /// All of it, as it came.
    pub(crate) bytes: Vec<u8>,
}

/// Reads the next message. The first one of a client has no letter.
pub(crate) fn read_message(stream: &mut impl Read, is_first: bool) -> io::Result<Message> {
    let mut bytes = vec![0; if is_first { 4 } else { 5 }];
    stream.read_exact(&mut bytes)?;
    let kind = if is_first { STARTUP } else { bytes[0] };
    let [.., a, b, c, d] = bytes[..] else { return Err(io::ErrorKind::InvalidData.into()) };
    // The length counts its own four bytes.
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap();
    let head = bytes.len();
    bytes.resize(head + length.checked_sub(4).ok_or(io::ErrorKind::InvalidData)?, 0);
    stream.read_exact(&mut bytes[head..])?;
    Ok(Message { kind, bytes })
}
