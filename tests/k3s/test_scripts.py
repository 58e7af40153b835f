"""The scripts that an operator runs: against a cluster that is a folder (see `fake_cluster`)."""

import base64
import re
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from manifests import schemas
from manifests.fake_cluster import FakeCluster
from manifests.made_secrets import SCRIPT, inputs, prepared, settings_of, with_settings
from manifests.places import MANIFESTS, ROOT
from manifests.rendering import copy_of_a_release, overlays, render

WITH_SECRETS = sorted({with_settings(str(overlay)) for overlay in overlays() if overlay.parent.name == "overlays"})
# The one whose database has a certificate of ours.
RECETTE = "k3s/overlays/recette"


@pytest.fixture
def recette(tmp_path: Path) -> FakeCluster:
    """A cluster with the secrets of `recette`."""
    return prepared(RECETTE).copy(tmp_path / "cluster")


@pytest.fixture
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    copy_of_a_release(folder)
    return folder


def without_a_digest(release: Path, name: str) -> None:
    """Puts zeros in its place, as in a lock file that no release has filled."""
    lock = release / "k3s" / "release" / "release.env"
    lock.write_text(re.sub(rf"^({name}=sha256:)\w+$", r"\g<1>" + "0" * 64, lock.read_text(), flags=re.MULTILINE))


def sealing_keys(cluster: FakeCluster) -> list[str]:
    return [key.split(":")[0] for key in cluster.secrets()["identity-app"]["sealing_keys"].split(",")]


def scripts() -> list[Path]:
    files = [file for folder in MANIFESTS for file in sorted((ROOT / folder).rglob("*")) if file.is_file()]
    return [file for file in files if file.suffix == ".sh" or file.read_bytes().startswith(b"#!/usr/bin/env bash")]


@pytest.mark.parametrize("script", scripts(), ids=lambda script: str(script.relative_to(ROOT)))
def test_a_script_has_nothing_that_shellcheck_objects_to(script: Path) -> None:
    # What a script sources is named from the root, or from its own folder.
    command = ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", f"--source-path={ROOT}", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


# --- secrets ---


@pytest.mark.parametrize("overlay", WITH_SECRETS)
def test_what_the_secrets_are_applied_as_fits_kubernetes_schemas(overlay: str) -> None:
    objects = prepared(overlay).objects()
    assert [schemas.complaint(item) for item in objects] == [None] * len(objects)


@pytest.mark.parametrize("overlay", WITH_SECRETS)
def test_secrets_are_made_once_and_kept_afterwards(overlay: str, tmp_path: Path) -> None:
    cluster = prepared(overlay).copy(tmp_path / "cluster")
    made = cluster.secrets()
    assert len(made) >= 5
    cluster.run(SCRIPT, overlay, "check")
    # Nothing of what an operator brought the first time is asked for again.
    cluster.run(SCRIPT, overlay)
    assert cluster.secrets() == made


@pytest.mark.parametrize("overlay", WITH_SECRETS)
def test_two_installations_share_no_secret(overlay: str, tmp_path: Path) -> None:
    other = FakeCluster(tmp_path / "cluster")
    other.run(SCRIPT, overlay, **inputs(overlay, tmp_path))
    first, second = prepared(overlay).secrets(), other.secrets()
    brought = {"registry", "backup-store"} | ({"database-ca"} if "database-authority" not in first else set())
    for name in first.keys() - brought:
        assert first[name] != second[name], name


@pytest.mark.parametrize("overlay", WITH_SECRETS)
def test_no_secret_stands_on_a_command_line(overlay: str) -> None:
    values = {value.strip() for keys in prepared(overlay).secrets().values() for value in keys.values()}
    lines = "\n".join(prepared(overlay).calls())
    for value in values:
        assert value not in lines
        assert base64.b64encode(value.encode()).decode() not in lines


@pytest.mark.parametrize("overlay", WITH_SECRETS)
def test_the_connection_string_is_the_one_of_make_up(overlay: str) -> None:
    dsn = prepared(overlay).secrets()["identity-app"]["pg_dsn"]
    settings = settings_of(overlay)
    url = urlsplit(dsn)
    assert (url.scheme, url.username) == ("postgres", "cofrap_app")
    assert (url.hostname, str(url.port)) == (settings["DATABASE_HOST"], settings["DATABASE_PORT"])
    # Spin's driver knows no other way to insist on TLS, and checks chain and name with this one.
    assert parse_qs(url.query)["sslmode"] == ["require"]
    address = " ".join(f"DB_{name}={settings[f'DATABASE_{name}']}" for name in ("HOST", "PORT", "NAME"))
    # The same line that `make up` writes into .env.
    ours = f". scripts/terminal.sh; . scripts/database.sh; {address} DB_TLS=require; application_dsn {url.password}"
    done = subprocess.run(["bash", "-euc", ours], cwd=ROOT, capture_output=True, text=True, check=True)
    assert dsn == done.stdout.strip()


@pytest.mark.parametrize("overlay", WITH_SECRETS)
def test_the_role_gets_the_password_that_the_connection_string_has(overlay: str) -> None:
    secrets = prepared(overlay).secrets()
    password = urlsplit(secrets["identity-app"]["pg_dsn"]).password
    assert secrets["identity-owner"]["APPLICATION_PASSWORD"] == unquote(password)
    assert len(password) >= 16


@pytest.mark.parametrize("overlay", WITH_SECRETS)
def test_a_sealing_key_is_32_random_bytes(overlay: str) -> None:
    identifier, value = prepared(overlay).secrets()["identity-app"]["sealing_keys"].split(":")
    assert identifier == "k1"
    assert len(base64.b64decode(value, validate=True)) == 32


def test_the_databases_certificate_is_good_for_its_host_and_for_no_other(tmp_path: Path) -> None:
    secrets = prepared(RECETTE).secrets()
    certificate, authority = tmp_path / "tls.crt", tmp_path / "ca.crt"
    certificate.write_text(secrets["database-tls"]["tls.crt"])
    # What the executor mounts as the only authority of the pods.
    authority.write_text(secrets["database-ca"]["ca-certificates.crt"])

    def verifies(host: str) -> bool:
        command = ["openssl", "verify", "-CAfile", authority, "-purpose", "sslserver", "-verify_hostname", host]
        return subprocess.run([*command, certificate], capture_output=True, check=False).returncode == 0

    assert verifies(settings_of(RECETTE)["DATABASE_HOST"])
    assert not verifies("database.elsewhere.svc")


def test_a_renewed_certificate_is_of_the_same_authority(recette: FakeCluster) -> None:
    before = recette.secrets()
    recette.run(SCRIPT, RECETTE, "renew-database-certificate")
    after = recette.secrets()
    assert after["database-tls"] != before["database-tls"]
    assert {name: keys for name, keys in after.items() if name != "database-tls"} == {
        name: keys for name, keys in before.items() if name != "database-tls"
    }


def test_a_missing_secret_is_named(recette: FakeCluster) -> None:
    (recette.folder / "objects" / "secret-identity-tls.json").unlink()
    assert "identity-tls" in recette.run(SCRIPT, RECETTE, "check", succeeds=False)


def test_a_new_password_reaches_the_role_and_the_application(recette: FakeCluster, release: Path) -> None:
    before = recette.secrets()
    recette.run(release / "k3s" / "secrets", RECETTE, "new-application-password")
    after = recette.secrets()
    password = urlsplit(after["identity-app"]["pg_dsn"]).password
    assert password != urlsplit(before["identity-app"]["pg_dsn"]).password
    assert after["identity-owner"]["APPLICATION_PASSWORD"] == password
    assert after["identity-app"]["sealing_keys"] == before["identity-app"]["sealing_keys"]
    assert after["identity-owner"]["DATABASE_URL"] == before["identity-owner"]["DATABASE_URL"]
    assert password not in "\n".join(recette.calls())
    # The role's other end: without it no new connection would come about.
    assert "changed Job/migrate" in recette.calls()


def test_no_password_is_changed_from_a_checkout_that_cannot_tell_the_role(recette: FakeCluster, release: Path) -> None:
    before = recette.secrets()
    without_a_digest(release, "IDENTITY_OPS_DIGEST")
    said = recette.run(release / "k3s" / "secrets", RECETTE, "new-application-password", succeeds=False)
    assert "release.env" in said
    assert recette.secrets() == before


def test_a_password_that_the_role_did_not_take_is_in_no_secret(recette: FakeCluster, release: Path) -> None:
    before = recette.secrets()
    command = (release / "k3s" / "secrets", RECETTE, "new-application-password")
    said = recette.run(*command, succeeds=False, FAKE_JOB="Failed")
    assert "the password is to stay what it was" in said
    assert recette.secrets() == before


def test_cloudnativepg_is_told_of_a_new_password(tmp_path: Path) -> None:
    overlay = "k3s/overlays/production"
    cluster = prepared(overlay).copy(tmp_path / "cluster")
    before = cluster.secrets()
    cluster.run(SCRIPT, overlay, "new-owner-password")
    after = cluster.secrets()
    password = after["database-owner"]["password"]
    assert password != before["database-owner"]["password"]
    assert urlsplit(after["identity-owner"]["DATABASE_URL"]).password == password
    # Without the label it does not look at a secret that it has not made itself.
    [changed] = [item for item in cluster.objects() if item["metadata"]["name"] == "database-owner"]
    assert changed["metadata"]["labels"]["cnpg.io/reload"] == "true"


def test_a_sealing_key_is_changed_in_its_order_only(recette: FakeCluster) -> None:
    recette.run(SCRIPT, RECETTE, "use-newest-sealing-key", succeeds=False)
    recette.run(SCRIPT, RECETTE, "drop-old-sealing-keys", succeeds=False)
    assert sealing_keys(recette) == ["k1"]
    recette.run(SCRIPT, RECETTE, "add-sealing-key")
    assert sealing_keys(recette) == ["k1", "k2"]
    recette.run(SCRIPT, RECETTE, "add-sealing-key", succeeds=False)
    recette.run(SCRIPT, RECETTE, "drop-old-sealing-keys", succeeds=False)
    assert sealing_keys(recette) == ["k1", "k2"]
    recette.run(SCRIPT, RECETTE, "use-newest-sealing-key")
    assert sealing_keys(recette) == ["k2", "k1"]
    recette.run(SCRIPT, RECETTE, "use-newest-sealing-key", succeeds=False)
    recette.run(SCRIPT, RECETTE, "drop-old-sealing-keys")
    assert sealing_keys(recette) == ["k2"]


def test_an_old_sealing_key_stays_where_resealing_fails(recette: FakeCluster) -> None:
    recette.run(SCRIPT, RECETTE, "add-sealing-key")
    recette.run(SCRIPT, RECETTE, "use-newest-sealing-key")
    recette.run(SCRIPT, RECETTE, "drop-old-sealing-keys", succeeds=False, FAKE_JOB="Failed")
    assert sealing_keys(recette) == ["k2", "k1"]


# --- deployment ---


def changed(cluster: FakeCluster) -> list[str]:
    return [line.removeprefix("changed ") for line in cluster.calls() if line.startswith("changed ")]


@pytest.mark.parametrize("overlay", WITH_SECRETS)
def test_a_deployment_applies_everything_and_the_migration_before_the_application(
    release: Path, overlay: str, tmp_path: Path
) -> None:
    cluster = prepared(overlay).copy(tmp_path / "cluster")
    cluster.run(release / "k3s" / "deploy", overlay)
    applied = changed(cluster)
    assert {f"{item['kind']}/{item['metadata']['name']}" for item in render(release / overlay)} <= set(applied)
    order = ["NetworkPolicy/deny-all", "Job/migrate", "SpinApp/identity", "IngressRoute/identity"]
    assert [name for name in applied if name in order] == order
    for database in ("StatefulSet/database", "Cluster/identity-database"):
        if database in applied:
            assert applied.index("NetworkPolicy/deny-all") < applied.index(database) < applied.index("Job/migrate")


def test_a_migration_that_fails_changes_no_application(recette: FakeCluster, release: Path) -> None:
    said = recette.run(release / "k3s" / "deploy", RECETTE, succeeds=False, FAKE_JOB="Failed")
    # Its log may be gone; what to look at is said all the same.
    assert "the job migrate failed" in said
    assert "Job/migrate" in changed(recette)
    assert not [name for name in changed(recette) if name.startswith(("SpinApp/", "IngressRoute/"))]


def test_nothing_is_deployed_without_the_digests_of_a_release(recette: FakeCluster, release: Path) -> None:
    without_a_digest(release, "IDENTITY_DIGEST")
    assert "release.env" in recette.run(release / "k3s" / "deploy", RECETTE, succeeds=False)
    assert changed(recette) == []


def test_nothing_is_deployed_without_its_secrets(release: Path, tmp_path: Path) -> None:
    cluster = FakeCluster(tmp_path / "cluster")
    assert "identity-app" in cluster.run(release / "k3s" / "deploy", RECETTE, succeeds=False)
    assert changed(cluster) == []
