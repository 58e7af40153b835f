//! The command line.

use crate::server::{ops, succeeds};

#[test]
fn help_is_on_stdout_and_wrong_usage_is_status_2() {
    let help = ops("--help", "", "");
    assert!(succeeds(&help).contains("Usage: identity-ops <command>"));
    assert!(help.stderr.is_empty());
    for wrong in [
        "drop-everything",
        "purge --everything",
        "purge --events-months 0",
        "reseal --check --check",
        "check --connections 0",
        "export",
        "export --everybody",
        "export one other",
        "erase",
        "erase --yes",
        "erase one other",
    ] {
        let wrong = ops(wrong, "", "");
        assert_eq!(wrong.status.code(), Some(2));
        assert!(wrong.stdout.is_empty());
        assert_eq!(wrong.stderr, help.stdout);
    }
}
