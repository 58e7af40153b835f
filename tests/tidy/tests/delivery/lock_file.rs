//! `make release-check`: what is no release is refused, each defect by its name.

use crate::release::{LOCK_FILE, Release, said};

#[test]
fn a_filled_lock_file_and_one_version_everywhere_are_a_release() {
    let release = Release::new("complete");
    let output = release.script("scripts/release-check", &[]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn what_is_no_release_is_refused_by_its_name() {
    let a = "a".repeat(64);
    let zeros = "0".repeat(64);
    let identity = format!("IDENTITY_DIGEST=sha256:{a}");
    let shim = format!("SHIM_SHA256_AARCH64={a}");
    for (there, instead, says) in [
        (&*identity, &*format!("IDENTITY_DIGEST=sha256:{zeros}"), "IDENTITY_DIGEST is zeros"),
        (&shim, &format!("SHIM_SHA256_AARCH64={zeros}"), "SHIM_SHA256_AARCH64 is zeros"),
        (&shim, "", "SHIM_SHA256_AARCH64 is missing"),
        (&shim, &format!("{shim}\n{shim}"), "SHIM_SHA256_AARCH64 stands there more than once"),
        (&shim, &format!("SHIM_SHA256_AARCH64=sha256:{a}"), "SHIM_SHA256_AARCH64 is not of the form"),
        (&identity, "IDENTITY_DIGEST=1.2.3", "IDENTITY_DIGEST is not of the form"),
        (&identity, "IDENTITY_DIGEST=latest", "IDENTITY_DIGEST is not of the form"),
        (&identity, &format!("IDENTITY_DIGEST={a}"), "IDENTITY_DIGEST is not of the form"),
        (&identity, &identity[..identity.len() - 1], "IDENTITY_DIGEST is not of the form"),
        (&identity, &format!("{identity} "), "IDENTITY_DIGEST is not of the form"),
        (&identity, &format!("{identity}\r"), "IDENTITY_DIGEST is not of the form"),
        (
            &identity,
            &identity.to_uppercase().replace("SHA256:", "sha256:"),
            "IDENTITY_DIGEST is not of the form",
        ),
        (&identity, &format!("IDENTITY_DIGEST='sha256:{a}'"), "IDENTITY_DIGEST is not of the form"),
        (&identity, "IDENTITY_DIGEST=", "IDENTITY_DIGEST is not of the form"),
        (&identity, &format!("{identity}\nREDIS_DIGEST=sha256:{a}"), "REDIS_DIGEST"),
        (
            &identity,
            &format!("{identity}\nsomething else"),
            "neither NAME=value nor a comment: something else",
        ),
        ("SHIM_VERSION=v", "SHIM_VERSION=", "SHIM_VERSION is not of the form"),
        (
            "SHIM_VERSION=v0.24.0",
            "SHIM_VERSION=v0.25.1",
            "SHIM_VERSION v0.25.1 is refused: which Spin it carries",
        ),
        ("-bookworm", "-trixie", "POSTGRES_VERSION is not of the form"),
        (
            "POSTGRES_CLIENTS_VERSION=18",
            "POSTGRES_CLIENTS_VERSION=14",
            "POSTGRES_CLIENTS_VERSION (14-bookworm) is older than the server's POSTGRES_VERSION (15-bookworm)",
        ),
    ] {
        let release = Release::new("refused");
        release.edit(LOCK_FILE, there, instead);
        let output = release.script("scripts/release-check", &[]);
        assert!(!output.status.success(), "{instead}");
        assert!(said(&output).contains(says), "{instead}: {}", said(&output));
        assert!(said(&output).contains("Error: 1 defects"), "{instead} is one defect: {}", said(&output));
    }
}

#[test]
fn a_version_that_one_file_does_not_say_is_refused() {
    let version = env!("CARGO_PKG_VERSION");
    for (file, there, says) in [
        ("spin.toml", format!("version = \"{version}\""), "spin.toml does not say"),
        ("static/openapi.yaml", format!("  version: {version}"), "static/openapi.yaml does not say"),
        ("CHANGELOG.md", format!("## {version}"), "CHANGELOG.md has no section"),
    ] {
        let release = Release::new("version");
        release.edit(file, &there, &there.replace(version, "99.0.0"));
        let output = release.script("scripts/release-check", &[]);
        assert!(!output.status.success() && said(&output).contains(says), "{file}: {}", said(&output));
    }
}

#[test]
fn every_defect_is_said_and_not_the_first_only() {
    let release = Release::new("every-defect");
    release.write(LOCK_FILE, "nonsense\n");
    let output = release.script("scripts/release-check", &[]);
    assert!(said(&output).contains("Error: 14 defects"), "thirteen names and a line: {}", said(&output));
}

#[test]
fn before_images_are_pushed_their_digests_and_no_others_may_be_zeros() {
    let release = Release::new("before-push");
    let zeros = format!("IDENTITY_DIGEST=sha256:{}", "0".repeat(64));
    release.edit(LOCK_FILE, &format!("IDENTITY_DIGEST=sha256:{}", "a".repeat(64)), &zeros);
    assert!(release.script("scripts/release-check", &["--before-push"]).status.success());
    release.edit(LOCK_FILE, "RUST_DIGEST=sha256:a", "RUST_DIGEST=sha256:0");
    assert!(
        release.script("scripts/release-check", &["--before-push"]).status.success(),
        "one digit is no zeros"
    );
    let rust = format!("RUST_DIGEST=sha256:0{}", "a".repeat(63));
    release.edit(LOCK_FILE, &rust, &format!("RUST_DIGEST=sha256:{}", "0".repeat(64)));
    let output = release.script("scripts/release-check", &["--before-push"]);
    assert!(!output.status.success() && said(&output).contains("RUST_DIGEST is zeros"), "{}", said(&output));
}

#[test]
fn the_lock_file_of_this_tree_is_well_formed_whatever_is_still_zeros() {
    let release = Release::new("this-tree");
    release.write(LOCK_FILE, &tidy::read(LOCK_FILE));
    let said = said(&release.script("scripts/release-check", &[]));
    assert!(said.contains("is complete.") || said.contains("defects:"), "{said}");
    for line in said.lines().filter(|line| line.starts_with("    ")) {
        assert!(line.contains("is zeros: nothing has filled it yet"), "{line}");
    }
}
