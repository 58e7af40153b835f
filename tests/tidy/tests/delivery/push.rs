//! `make push`. Neither Spin nor a container engine nor a registry is at hand where tests run, so programs stand in for
//! them that say what those say; what is looked at is what the script makes of it.

use crate::release::{LOCK_FILE, Release, digest, said};

const SPIN_DIGIT: char = '1';
const ENGINE_DIGIT: char = '2';

/// A commit, the components and the note of `make image` that they were built from it, and what pushes them.
fn built(name: &str) -> Release {
    let release = Release::new(name);
    release.commit();
    release.write("target/components/account.wasm", "a component");
    let sums = "cd target/components && mkdir -p ../image && sha256sum -- *.wasm >../image/SHA256SUMS";
    assert!(release.run("bash", &["-c", sums]).status.success());
    release.write("target/image/revision", &release.revision());
    release.stand_in("spin", &format!("echo \"Pushed with digest {}\"", digest(SPIN_DIGIT)));
    let push = format!("[ \"$1\" != push ] || printf %s {} >\"$3\"", digest(ENGINE_DIGIT));
    release.stand_in("podman", &push);
    release
}

#[test]
fn pushing_writes_the_digests_that_the_registry_gave_and_nothing_else() {
    let release = built("push");
    let before = release.read(LOCK_FILE);
    let output = release.script("scripts/push", &[]);
    assert!(output.status.success(), "{}", said(&output));
    let a = digest('a');
    let expected = before
        .replace(&format!("\nIDENTITY_DIGEST={a}"), &format!("\nIDENTITY_DIGEST={}", digest(SPIN_DIGIT)))
        .replace(
            &format!("\nIDENTITY_OPS_DIGEST={a}"),
            &format!("\nIDENTITY_OPS_DIGEST={}", digest(ENGINE_DIGIT)),
        );
    assert_eq!(release.read(LOCK_FILE), expected);
    assert!(
        release.script("scripts/push", &[]).status.success(),
        "what it wrote itself does not stop a second one"
    );
}

#[test]
fn the_digest_is_read_from_what_docker_says_too() {
    let release = built("docker");
    for engine in ["podman", "buildah"] {
        release.stand_in(engine, "exit 1");
    }
    let line = format!("0.1.0: digest: {} size: 1234", digest(ENGINE_DIGIT));
    release.stand_in("docker", &format!("[ \"$1\" != push ] || printf 'The push refers to ...\\n{line}\\n'"));
    let output = release.script("scripts/push", &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(release.read(LOCK_FILE).contains(&format!("IDENTITY_OPS_DIGEST={}", digest(ENGINE_DIGIT))));
}

/// Runs `make push`, which has to fail with these words and leave the lock file as it was.
fn refused(release: &Release, says: &str) {
    let before = release.read(LOCK_FILE);
    let output = release.script("scripts/push", &[]);
    assert!(!output.status.success() && said(&output).contains(says), "{}", said(&output));
    assert_eq!(release.read(LOCK_FILE), before);
}

#[test]
fn a_push_that_fails_or_names_no_digest_writes_none() {
    let release = built("no-digest");
    for spin in
        ["echo 'Pushed; the registry did not return the digest'", "echo 'Pushed with digest sha256:12'"]
    {
        release.stand_in("spin", spin);
        refused(&release, "spin did not say one digest");
    }
    let digest = digest(SPIN_DIGIT);
    release.stand_in("spin", &format!("echo 'Pushed with digest {digest}'; echo denied >&2; exit 1"));
    refused(&release, "denied");
}

#[test]
fn an_image_that_was_not_pushed_gets_no_digest() {
    let release = built("no-image");
    let ops =
        |release: &Release| release.read(LOCK_FILE).contains(&format!("IDENTITY_OPS_DIGEST={}", digest('a')));
    let writes = format!("printf %s {} >\"$3\"", digest(ENGINE_DIGIT));
    release.stand_in("podman", &format!("[ \"$1\" != push ] || {{ {writes}; exit 1; }}"));
    let output = release.script("scripts/push", &[]);
    assert!(!output.status.success() && said(&output).contains("podman did not push"), "{}", said(&output));
    assert!(ops(&release), "{}", release.read(LOCK_FILE));
}

#[test]
fn what_was_not_built_from_this_commit_is_not_pushed() {
    let release = built("other-commit");
    release.write("spin.toml", "changed");
    refused(&release, "not committed");
    let commit =
        ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "--all", "--message=B"];
    assert!(release.run("git", &commit).status.success());
    refused(&release, "make image has not built this commit");
}

#[test]
fn components_other_than_those_that_were_built_are_not_pushed() {
    let release = built("other-components");
    release.write("target/components/account.wasm", "another component");
    refused(&release, "not those that make image built");
}

#[test]
fn nothing_is_pushed_without_the_programs_that_push() {
    let release = built("no-engine");
    for engine in ["podman", "buildah", "docker"] {
        release.stand_in(engine, "exit 1");
    }
    refused(&release, "needs podman, buildah or docker");
}
