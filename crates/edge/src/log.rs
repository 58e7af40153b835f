//! One line to stderr, in logfmt: `level=error component=account fault="..."`. Spin adds the time and the component's
//! file; a container platform collects it.
//!
//! What a line may hold is decided by its callers (codes, routes, faults; never a body, a token, a username). What is
//! decided here is its form: always one line, without control characters, of bounded length.

use std::fmt::Write as _;
use std::io;

/// The longest value. What is longer is cut: the cause stands at the beginning.
const VALUE_MAX_CHARACTERS: usize = 400;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// A refusal: the client's business, worth counting.
    Info,
    /// A fault: the operator's business.
    Error,
}

/// Writes one line.
pub(crate) fn write(level: Level, fields: &[(&str, &str)]) {
    // There is nowhere left to tell that standard error is closed.
    _ = write_to(&mut io::stderr(), level, fields);
}

/// At once, the end of the line included: standard error has no buffer, `writeln!` and `eprintln!` write the end by
/// itself, and the line of another request would come between.
fn write_to(sink: &mut impl io::Write, level: Level, fields: &[(&str, &str)]) -> io::Result<()> {
    let mut line = line(level, fields);
    line.push('\n');
    sink.write_all(line.as_bytes())
}

fn line(level: Level, fields: &[(&str, &str)]) -> String {
    let mut line = String::from(match level {
        Level::Info => "level=info",
        Level::Error => "level=error",
    });
    for (name, value) in fields {
        line.push(' ');
        line.push_str(name);
        line.push('=');
        push_value(&mut line, value);
    }
    line
}

/// A value of harmless characters stands as it is; any other is quoted, and everything that could end the line, move a
/// terminal's cursor or turn the direction of writing is escaped.
fn push_value(line: &mut String, value: &str) {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./:".contains(character);
    if !value.is_empty() && value.len() <= VALUE_MAX_CHARACTERS && value.chars().all(is_plain) {
        line.push_str(value);
        return;
    }
    line.push('"');
    for character in value.chars().take(VALUE_MAX_CHARACTERS) {
        match character {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            ' '..='~' => line.push(character),
            _ if character.is_alphanumeric() => line.push(character),
            // Writing to a String cannot fail.
            _ => _ = write!(line, "\\u{{{:x}}}", u32::from(character)),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_logfmt() {
        assert_eq!(
            line(Level::Error, &[("component", "account"), ("fault", "no \"key\"")]),
            r#"level=error component=account fault="no \"key\"""#
        );
        assert_eq!(
            line(Level::Info, &[("route", "/api/login"), ("code", "")]),
            r#"level=info route=/api/login code="""#
        );
    }

    /// What each write brought.
    #[derive(Default)]
    struct Writes(Vec<String>);

    impl io::Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_and_its_end_are_one_write() {
        let mut sink = Writes::default();
        write_to(&mut sink, Level::Info, &[("component", "account"), ("code", "not_found")]).unwrap();
        assert_eq!(sink.0, ["level=info component=account code=not_found\n"]);
    }

    #[test]
    fn a_value_cannot_start_a_line_of_its_own() {
        assert_eq!(
            line(Level::Info, &[("fault", "a\r\nlevel=error b=\u{1b}[31m\u{202e}\u{2028}")]),
            r#"level=info fault="a\r\nlevel=error b=\u{1b}[31m\u{202e}\u{2028}""#
        );
    }

    #[test]
    fn a_long_value_is_cut() {
        assert!(line(Level::Info, &[("fault", &"x".repeat(10_000))]).len() < 500);
    }

    proptest! {
        #[test]
        fn whatever_is_logged_stays_one_line_without_control_characters(value in "(?s:.)*") {
            prop_assert!(!line(Level::Info, &[("fault", &value)]).chars().any(char::is_control));
        }
    }
}
