//! Every limit and duration of the rules, in one place, units last in their names.
//!
//! What depends on what is asserted at compile time at the end of the file.

/// From the start of a journey to its deadline.
pub const START_TTL_SECONDS: i64 = 900;
/// How long a reveal link works; never past the start's deadline.
pub const REVEAL_TTL_SECONDS: i64 = 600;
/// From a login with expired credentials to the end of the renewal token.
pub const RENEWAL_TTL_SECONDS: i64 = 900;
/// A session that is not used for so long is over.
pub const SESSION_IDLE_SECONDS: i64 = 3_600;
/// A session is over so long after its login, used or not.
pub const SESSION_TTL_SECONDS: i64 = 43_200;
/// Calendar months from activation to the end of a credential.
pub const CREDENTIAL_MONTHS: u32 = 6;
/// Calendar months for which nobody gets the name of an account that its owner deleted, or the purge after it had expired.
pub const RESERVED_NAME_MONTHS: u32 = 12;

/// The newest of an account's events, as many as its owner is shown.
pub const EVENTS_SHOWN: u32 = 1_000;
/// Of the events before those, this many are counted at the most: a flood of guesses must not make looking expensive.
pub const OLDER_EVENTS_COUNTED: u32 = 10_000;

/// The longest request body.
pub const BODY_MAX_BYTES: usize = 4_096;

/// The shortest username.
pub const USERNAME_MIN_CHARACTERS: usize = 3;
/// The longest username.
pub const USERNAME_MAX_CHARACTERS: usize = 64;

/// Characters of a generated password.
pub const PASSWORD_CHARACTERS: usize = 24;
/// How often a password that lacks a class is drawn again before the random source counts as broken. About 7 % of
/// the draws lack one, so a sound source gets here once in 10^74 passwords; a stuck one must not spin for ever.
pub const PASSWORD_DRAWS_MAX: usize = 64;

/// Characters of an id: the UUID of RFC 9562 section 4.
pub const ID_CHARACTERS: usize = 36;

/// Bytes of a token before it is written as base64url.
pub const TOKEN_BYTES: usize = 32;
/// Characters of a token in base64url without padding.
pub const TOKEN_CHARACTERS: usize = 43;

/// Bytes of a TOTP secret: 160 bits, as RFC 4226 section 4 (R6) recommends.
pub const TOTP_SECRET_BYTES: usize = 20;
/// Digits of a code.
pub const TOTP_DIGITS: u32 = 6;
/// Seconds of a step: the default of RFC 6238 section 4.1.
pub const TOTP_STEP_SECONDS: i64 = 30;
/// Steps accepted before and after the current one (RFC 6238 section 5.2).
pub const TOTP_WINDOW_STEPS: i64 = 1;
/// The database's clock may be so far from the one of a replica, either way. A phone's is as right as a replica's, and its
/// codes are of the window as long as no clock is further from it than the window is wide: beyond that, right codes are
/// refused.
pub const CLOCKS_APART_MAX_SECONDS: i64 = TOTP_STEP_SECONDS * TOTP_WINDOW_STEPS;

/// After this many wrong codes in a row, the first wait.
pub const GUESSING_FIRST_WAIT_AT_WRONG_CODES: u32 = 5;
/// No wait is longer.
pub const GUESSING_LONGEST_WAIT_MINUTES: u32 = 60;
/// This many wrong codes in a row suspend an account.
pub const GUESSING_SUSPENDS_AT_WRONG_CODES: u32 = 100;
/// This many wrong codes end a start.
pub const GUESSING_ENDS_START_AT_WRONG_CODES: u32 = 20;

/// Hours for which a refusal that concerns no account is kept.
pub const REFUSAL_KEPT_HOURS: u32 = 24;
/// Calendar months for which every other event is kept, unless the operator says otherwise.
pub const EVENT_KEPT_MONTHS: u32 = 12;
/// Calendar months for which an account is kept after its credentials ended, unless the operator says otherwise.
pub const EXPIRED_ACCOUNT_KEPT_MONTHS: u32 = 12;

/// The longest id of a sealing key.
pub const SEALING_KEY_ID_MAX_CHARACTERS: usize = 32;
/// Bytes of a sealing key: AES-256.
pub const SEALING_KEY_BYTES: usize = 32;

const _: () = assert!(0 < REVEAL_TTL_SECONDS && REVEAL_TTL_SECONDS <= START_TTL_SECONDS);
const _: () = assert!(0 < RENEWAL_TTL_SECONDS && RENEWAL_TTL_SECONDS <= SESSION_IDLE_SECONDS);
const _: () = assert!(SESSION_IDLE_SECONDS < SESSION_TTL_SECONDS);
const _: () = assert!(CREDENTIAL_MONTHS > 0);
const _: () = assert!(RESERVED_NAME_MONTHS > 0);
const _: () = assert!(EVENTS_SHOWN > 0);
// 28 days are the shortest month: no session outlives a fresh credential, no start runs into its end.
const _: () = assert!(SESSION_TTL_SECONDS < CREDENTIAL_MONTHS as i64 * 28 * 86_400);
const _: () = assert!(START_TTL_SECONDS < CREDENTIAL_MONTHS as i64 * 28 * 86_400);
// JSON may write each character as `\u0000`: the longest of every field fits a body.
const _: () =
    assert!(6 * (USERNAME_MAX_CHARACTERS + PASSWORD_CHARACTERS + TOTP_DIGITS as usize) < BODY_MAX_BYTES);
const _: () = assert!(USERNAME_MIN_CHARACTERS > 1 && USERNAME_MIN_CHARACTERS < USERNAME_MAX_CHARACTERS);
// Four classes need four places.
const _: () = assert!(PASSWORD_CHARACTERS >= 4);
const _: () = assert!(TOKEN_CHARACTERS == (TOKEN_BYTES * 8).div_ceil(6));
// RFC 4226 section 5.3: six digits at least; ten would not fit the 31 bits of a truncated value.
const _: () = assert!(TOTP_DIGITS >= 6 && TOTP_DIGITS < 10);
// Base32 writes five bytes as eight characters: no padding to leave away.
const _: () = assert!(TOTP_SECRET_BYTES.is_multiple_of(5) && TOTP_SECRET_BYTES >= 16);
const _: () = assert!(GUESSING_FIRST_WAIT_AT_WRONG_CODES > 0);
const _: () = assert!(GUESSING_FIRST_WAIT_AT_WRONG_CODES < GUESSING_ENDS_START_AT_WRONG_CODES);
const _: () = assert!(GUESSING_ENDS_START_AT_WRONG_CODES < GUESSING_SUSPENDS_AT_WRONG_CODES);
const _: () = assert!(GUESSING_LONGEST_WAIT_MINUTES > 0);
// Zero would remove everything at once.
const _: () = assert!(REFUSAL_KEPT_HOURS > 0 && EVENT_KEPT_MONTHS > 0 && EXPIRED_ACCOUNT_KEPT_MONTHS > 0);
// The blob writes the id's length in one byte.
const _: () = assert!(SEALING_KEY_ID_MAX_CHARACTERS <= u8::MAX as usize);
