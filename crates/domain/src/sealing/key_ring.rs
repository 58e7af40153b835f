//! The keys that seal and open, as the operator wrote them. There is no fallback: a ring with one bad entry is no ring.

use std::fmt;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::limits::{SEALING_KEY_BYTES, SEALING_KEY_ID_MAX_CHARACTERS};

/// The sealing keys, by id: the first one seals, all of them open.
pub struct KeyRing {
    writing: RingKey,
    reading_only: Vec<RingKey>,
}

/// One key of the ring.
pub(super) struct RingKey {
    pub(super) id: String,
    pub(super) bytes: Zeroizing<[u8; SEALING_KEY_BYTES]>,
}

/// Why a text is no key ring. Safe to log: it names an entry, never (a part of) a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// Nothing, or nothing but white space.
    #[error("no sealing keys: expected id:base64,...")]
    Empty,
    /// One entry is wrong.
    #[error("sealing key number {position}{}: {problem}", Named(id.as_deref()))]
    Entry {
        /// Counted from one.
        position: usize,
        /// Its id, where what stands there is an id for certain.
        id: Option<String>,
        /// What is wrong with it.
        problem: EntryProblem,
    },
}

/// What is wrong with an entry of a key ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryProblem {
    /// Nothing between two commas, or after the last one.
    #[error("the entry is empty")]
    EmptyEntry,
    /// An entry without `:`.
    #[error("no ':' between id and key")]
    NoColon,
    /// An id that is not 1 to 32 of `a-z 0-9 -`.
    #[error("the id is not 1 to {SEALING_KEY_ID_MAX_CHARACTERS} characters of a-z 0-9 -")]
    InvalidId,
    /// The id of an earlier entry.
    #[error("the id was used before")]
    RepeatedId,
    /// A key that is not standard base64 with padding.
    #[error("the key is not standard base64 with padding")]
    NotBase64,
    /// A key of another length.
    #[error("the key has {actual_bytes} bytes instead of {SEALING_KEY_BYTES}")]
    WrongLength {
        /// How many bytes it has.
        actual_bytes: usize,
    },
    /// A key of zeros: a placeholder that somebody forgot.
    #[error("the key is all zeros")]
    AllZero,
}

/// ` (id)`, or nothing.
struct Named<'a>(Option<&'a str>);

impl KeyRing {
    /// Reads `id:base64,id2:base64`, strictly: white space is part of an entry and makes it wrong.
    ///
    /// # Errors
    /// The first problem, as [`KeyRingError`].
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        if text.trim().is_empty() {
            return Err(KeyRingError::Empty);
        }
        let mut keys: Vec<RingKey> = Vec::new();
        for (index, entry) in text.split(',').enumerate() {
            let position = index + 1;
            let (id, key) =
                split_entry(entry).map_err(|problem| KeyRingError::Entry { position, id: None, problem })?;
            let wrong = |problem| KeyRingError::Entry { position, id: Some(id.to_owned()), problem };
            if keys.iter().any(|key| key.id == id) {
                return Err(wrong(EntryProblem::RepeatedId));
            }
            keys.push(RingKey { id: id.to_owned(), bytes: decode_key(key).map_err(wrong)? });
        }
        let mut keys = keys.into_iter();
        let writing = keys.next().ok_or(KeyRingError::Empty)?;
        Ok(Self { writing, reading_only: keys.collect() })
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn writing_key_id(&self) -> &str {
        &self.writing.id
    }

    pub(super) const fn writing_key(&self) -> &RingKey {
        &self.writing
    }

    pub(super) fn key(&self, id: &str) -> Option<&RingKey> {
        std::iter::once(&self.writing).chain(&self.reading_only).find(|key| key.id == id)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = std::iter::once(&self.writing).chain(&self.reading_only).map(|key| &key.id);
        formatter.write_str("KeyRing ")?;
        formatter.debug_list().entries(ids).finish()
    }
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(formatter, " ({id})"))
    }
}

/// Whether a text is the id of a key: 1 to 32 of `a-z 0-9 -`.
pub(super) fn is_key_id(text: &str) -> bool {
    (1..=SEALING_KEY_ID_MAX_CHARACTERS).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn split_entry(entry: &str) -> Result<(&str, &str), EntryProblem> {
    if entry.is_empty() {
        return Err(EntryProblem::EmptyEntry);
    }
    let (id, key) = entry.split_once(':').ok_or(EntryProblem::NoColon)?;
    // What stands before the colon may be a key in the wrong place: it is named only once it is an id.
    if is_key_id(id) { Ok((id, key)) } else { Err(EntryProblem::InvalidId) }
}

fn decode_key(text: &str) -> Result<Zeroizing<[u8; SEALING_KEY_BYTES]>, EntryProblem> {
    let decoded = BASE64.decode(text.as_bytes()).map_err(|_| EntryProblem::NotBase64)?;
    let decoded = Zeroizing::new(decoded);
    // The decoder also takes several padded texts in a row, which nobody writes on purpose.
    if text.trim_end_matches('=').contains('=') {
        return Err(EntryProblem::NotBase64);
    }
    let wrong_length = EntryProblem::WrongLength { actual_bytes: decoded.len() };
    let key: &[u8; SEALING_KEY_BYTES] = decoded.as_slice().try_into().map_err(|_| wrong_length)?;
    if key.iter().all(|byte| *byte == 0) {
        return Err(EntryProblem::AllZero);
    }
    Ok(Zeroizing::new(*key))
}
