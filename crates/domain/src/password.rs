//! Passwords in the clear: made here, or typed by somebody. What is stored of them is the verifier's.

#[cfg(test)]
mod tests;

use std::fmt;

use zeroize::Zeroizing;

use crate::limits::{PASSWORD_CHARACTERS, PASSWORD_DRAWS_MAX};
use crate::randomness::{Randomness, RandomnessUnavailable};

/// The first of the printable ASCII characters without space.
const FIRST_SYMBOL: u8 = b'!';
/// The last one.
const LAST_SYMBOL: u8 = b'~';
/// How many there are.
const SYMBOLS: u8 = LAST_SYMBOL - FIRST_SYMBOL + 1;
/// The largest multiple of `SYMBOLS` that a byte can count to. Bytes from here on are thrown away: below it, each
/// symbol stands for equally many bytes, so the remainder has no bias.
const REJECTED_FROM: u8 = u8::MAX - (u8::MAX % SYMBOLS + 1) % SYMBOLS + 1;
/// Random bytes asked for at once: about 33 are used for one password.
const BATCH_BYTES: usize = 64;

const _: () = assert!(SYMBOLS == 94 && REJECTED_FROM == 188);

/// A password in the clear. Wiped when dropped, never printed.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Makes a password: 24 uniform draws from the 94 printable ASCII characters without space, drawn again as a whole
    /// until upper case, lower case, digit and special all occur. So every password of four classes is equally
    /// likely, and no position prefers a class.
    ///
    /// # Errors
    /// [`RandomnessUnavailable`] when the source gives nothing, or is so stuck that no password comes out of it.
    pub fn generate(randomness: &mut (impl Randomness + ?Sized)) -> Result<Self, RandomnessUnavailable> {
        let mut symbols = Zeroizing::new([0; PASSWORD_CHARACTERS]);
        for _ in 0..PASSWORD_DRAWS_MAX {
            draw_symbols(&mut symbols, randomness)?;
            if has_four_classes(symbols.as_slice()) {
                let mut text = Zeroizing::new(String::with_capacity(PASSWORD_CHARACTERS));
                text.extend(symbols.iter().map(|symbol| char::from(*symbol)));
                return Ok(Self(text));
            }
        }
        Err(RandomnessUnavailable)
    }

    /// What somebody typed, exactly: nothing is trimmed, folded or cut.
    #[must_use]
    pub fn typed(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the answer of a reveal and for the verifier.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
    }
}

/// The symbol that a random byte stands for; none for the bytes that would make some symbols likelier.
const fn symbol_of(byte: u8) -> Option<u8> {
    if byte < REJECTED_FROM { Some(FIRST_SYMBOL + byte % SYMBOLS) } else { None }
}

fn draw_symbols(
    symbols: &mut [u8; PASSWORD_CHARACTERS],
    randomness: &mut (impl Randomness + ?Sized),
) -> Result<(), RandomnessUnavailable> {
    let mut filled = 0;
    let mut batch = Zeroizing::new([0; BATCH_BYTES]);
    for _ in 0..PASSWORD_DRAWS_MAX {
        randomness.fill(batch.as_mut_slice())?;
        for symbol in batch.iter().copied().filter_map(symbol_of) {
            let Some(place) = symbols.get_mut(filled) else {
                break;
            };
            *place = symbol;
            filled += 1;
        }
        if filled == PASSWORD_CHARACTERS {
            return Ok(());
        }
    }
    // 64 batches without 24 usable bytes: the source repeats itself.
    Err(RandomnessUnavailable)
}

fn has_four_classes(symbols: &[u8]) -> bool {
    symbols.iter().any(u8::is_ascii_uppercase)
        && symbols.iter().any(u8::is_ascii_lowercase)
        && symbols.iter().any(u8::is_ascii_digit)
        && symbols.iter().any(u8::is_ascii_punctuation)
}
