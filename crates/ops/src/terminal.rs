//! What the tool says while it works. Results go to stdout, and everything else to stderr.

/// Says what was done.
#[expect(clippy::print_stdout, reason = "a command line tool talks to its terminal")]
pub fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

/// Says how far it is, or what is wrong.
#[expect(clippy::print_stderr, reason = "a command line tool talks to its terminal")]
pub fn note(line: impl std::fmt::Display) {
    eprintln!("{line}");
}
