//! An error's text, taken apart and held against texts that are known.
//!
//! Spin's is what anyhow writes: what went wrong and, under `Caused by:`, why, layer by layer. The pool's own layer comes
//! first, where it was to make a connection; then what the driver was at; then why, in the words of PostgreSQL or of the
//! operating system. (In Spin 3.6 and 4.0 a layer quotes the ones below it; with a newer driver none does.) So a text is
//! known by its place and as a whole: a name in it is a name, whatever its words say.

/// How the pool's layer begins.
const POOL: &str = "Error occurred while creating a new object: ";

/// What the driver was at when the error is PostgreSQL's own.
pub(super) const SERVER: &str = "db error";

/// PostgreSQL's severities that end a statement or a connection, in English and French.
const SEVERITIES: [&str; 4] = ["FATAL: ", "ERROR: ", "ERREUR: ", "PANIC: "];

/// What went wrong: where, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// What the driver was at, such as [`SERVER`]; empty in a text that has no causes.
    pub(super) place: String,
    /// Why, on one line; PostgreSQL's DETAIL and HINT are left out.
    pub(super) cause: String,
}

impl Told {
    /// Takes the text of an error apart.
    pub(super) fn of(text: &str) -> Self {
        let mut layers = layers(text).into_iter();
        let mut first = layers.next().unwrap_or_default();
        let mut second = layers.next();
        if second.is_some() && first.starts_with(POOL) {
            first = second.unwrap_or_default();
            second = layers.next();
        }
        let Some(cause) = second else { return Self { place: String::new(), cause: first } };
        let quoted = first.strip_suffix(cause.as_str()).and_then(|place| place.strip_suffix(": "));
        Self { place: quoted.unwrap_or(&first).to_owned(), cause }
    }

    /// PostgreSQL's own message, without its severity.
    pub(super) fn message(&self) -> Option<&str> {
        let message = |severity| self.cause.strip_prefix(severity);
        SEVERITIES.into_iter().find_map(message).filter(|_| self.place == SERVER)
    }
}

/// The error and its causes, each on one line.
fn layers(text: &str) -> Vec<String> {
    let text = text.split("\n\nStack backtrace:").next().unwrap_or_default();
    let (error, causes) = text.split_once("\n\nCaused by:\n").unwrap_or((text, ""));
    let mut layers = vec![error.to_owned()];
    for line in causes.lines() {
        let number = format!("{:>5}: ", layers.len() - 1);
        match (line.strip_prefix(&number), layers.as_mut_slice()) {
            (Some(first_line), _) => layers.push(first_line.to_owned()),
            // Where there is only one cause, it has no number.
            (None, [_]) => layers.push(line.to_owned()),
            (None, [.., last]) => {
                last.push('\n');
                last.push_str(line);
            }
            (None, []) => {}
        }
    }
    layers.iter().map(|layer| one_line(layer)).collect()
}

/// French messages are wrapped, so a line's end is a space.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let message = lines.take_while(|line| !line.starts_with("DETAIL: ") && !line.starts_with("HINT: "));
    let words: Vec<_> = message.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

/// What stands in the holes of a pattern that is this whole text, or nothing when it is not. Patterns are written as
/// PostgreSQL's sources have them: a hole is `%s`.
pub(super) fn holes(pattern: &str, text: &str) -> Option<Vec<String>> {
    let (pattern, text) = (without_accents(pattern), without_accents(text));
    let pieces: Vec<_> = pattern.split("%s").collect();
    let [first, between @ .., last] = pieces.as_slice() else { return (text == pattern).then(Vec::new) };
    let mut rest = text.strip_prefix(first)?.strip_suffix(last)?;
    let mut holes = Vec::new();
    for piece in between {
        let (hole, behind) = rest.split_once(piece)?;
        holes.push(hole.to_owned());
        rest = behind;
    }
    holes.push(rest.to_owned());
    Some(holes)
}

/// Before a log-in PostgreSQL speaks in the encoding of its own locale. Of French that leaves `?` for an accent and `<<`
/// for a quotation mark (locale C), or bytes that are no UTF-8 (Latin 1), which the driver replaces.
fn without_accents(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let ascii = |character: char| if character.is_ascii() { character } else { '?' };
    words.join(" ").replace("<<", "?").replace(">>", "?").chars().map(ascii).collect()
}
