//! `make image`, up to what the container engine is asked for. The components are built elsewhere in the tests, and an
//! engine is not at hand: programs stand in for both, and for the compiler's version.

use crate::release::{LOCK_FILE, Release, digest, said};

/// A commit that an image can be built from, and an engine that notes what it is asked for.
fn ready(name: &str) -> Release {
    let release = Release::new(name);
    let build = "mkdir -p target/components && echo built >target/components/account.wasm";
    release.write("scripts/build-components", &format!("#!/usr/bin/env bash\n{build}\n"));
    release.write("Containerfile", &tidy::read("Containerfile"));
    release.commit();
    release.stand_in(
        "rustc",
        &format!("echo 'rustc {} (59807616e 2026-04-14)'", release.locked("RUSTC_VERSION")),
    );
    release.stand_in("podman", "[ \"$1\" != build ] || printf '%s\\n' \"$@\" >target/asked");
    release
}

fn refused(release: &Release, says: &str) {
    let output = release.script("scripts/image", &[]);
    assert!(!output.status.success() && said(&output).contains(says), "{}", said(&output));
    assert!(!release.path("target/image/revision").exists(), "nothing says that it was built");
}

#[test]
fn the_engine_is_given_the_commit_and_what_the_lock_file_says() {
    let release = ready("image");
    release.edit(
        LOCK_FILE,
        &format!("POSTGRES_CLIENTS_DIGEST={}", digest('a')),
        &format!("POSTGRES_CLIENTS_DIGEST={}", digest('b')),
    );
    release.write(".env", "SPIN_VARIABLE_SEALING_KEYS='k1:secret'");
    let output = release.script("scripts/image", &[]);
    assert!(output.status.success(), "{}", said(&output));
    let asked = release.read("target/asked");
    for argument in [
        format!("RUSTC_VERSION={}", release.locked("RUSTC_VERSION")),
        format!("RUST_DIGEST={}", digest('a')),
        format!("POSTGRES_CLIENTS_VERSION={}", release.locked("POSTGRES_CLIENTS_VERSION")),
        format!("POSTGRES_CLIENTS_DIGEST={}", digest('b')),
        format!("ghcr.io/cofrap/identity-ops:{}", env!("CARGO_PKG_VERSION")),
        format!("org.opencontainers.image.revision={}", release.revision().trim()),
        "target/image/context/Containerfile".to_owned(),
    ] {
        assert!(asked.lines().any(|line| line == argument), "{argument}: {asked}");
    }
    assert!(release.path("target/image/context/Cargo.toml").exists());
    assert!(!release.path("target/image/context/.env").exists(), "what Git ignores stays out");
    assert_eq!(release.read("target/image/revision"), release.revision());
    assert!(release.read("target/image/SHA256SUMS").ends_with("  account.wasm\n"));
}

#[test]
fn an_image_is_built_of_nothing_that_is_not_committed_locked_or_of_that_compiler() {
    let release = ready("image-refused");
    release.stand_in("rustc", "echo 'rustc 1.0.0 (a59de37e9 2015-05-13)'");
    let wanted = release.locked("RUSTC_VERSION");
    refused(&release, &format!("a release is built with Rust {wanted}, and this is 1.0.0"));
    release.write("spin.toml", &release.read("spin.toml").replace("COFRAP", "Somebody"));
    refused(&release, "not committed");
    release.edit(LOCK_FILE, &format!("RUST_DIGEST={}", digest('a')), &format!("RUST_DIGEST={}", digest('0')));
    refused(&release, "RUST_DIGEST is zeros");
}

#[test]
fn without_an_engine_the_components_are_built_and_the_failure_is_plain() {
    let release = ready("image-no-engine");
    for engine in ["podman", "buildah", "docker"] {
        release.stand_in(engine, "exit 1");
    }
    refused(&release, "the image of the jobs needs podman, buildah or docker");
    assert!(release.path("target/components/account.wasm").exists());
}
