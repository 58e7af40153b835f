"""k3s/restore, whose SQL a real PostgreSQL runs: a restore that fails leaves everything as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests import schemas
from manifests.fake_cluster import FakeCluster
from manifests.places import ROOT
from manifests.postgres import SERVER, postgres, sql
from manifests.rendering import render

BACKUP = "identity-20260101T022300Z.dump"


@pytest.fixture
def recette(tmp_path: Path) -> Iterator[FakeCluster]:
    """With a database that has somebody in it, as `recette` would have."""
    postgres("start", SERVER, "--for-tests")
    try:
        sql("postgres", "CREATE ROLE identity_owner", "CREATE DATABASE identity OWNER identity_owner")
        sql("identity", "CREATE SCHEMA identity", "CREATE TABLE identity.account AS SELECT 'anna' AS username")
        fake = FakeCluster(tmp_path / "cluster")
        fake.has(*render(ROOT / "k3s/overlays/recette"))
        fake.has({"kind": "Pod", "metadata": {"name": "database-0"}})
        yield fake
    finally:
        postgres("reset", SERVER)


def restore(cluster: FakeCluster, **more) -> None:
    cluster.run(ROOT / "k3s" / "restore", BACKUP, FAKE_POSTGRES=SERVER, **more)


def databases() -> dict[str, bool]:
    """The databases of the service, those of before included, and whether one can connect."""
    rows = sql("postgres", "SELECT datname, datallowconn FROM pg_database WHERE datname LIKE 'identity%'")
    return {name: allowed == "t" for name, allowed in (row.split("|") for row in rows.splitlines())}


def test_the_job_gets_an_empty_database_and_the_one_of_before_stays(recette: FakeCluster) -> None:
    restore(recette)
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'identity')"
    assert sql("identity", tables, "SELECT to_regnamespace('identity') IS NULL").split() == ["0", "t"]
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'identity'"
    assert sql("postgres", owner) == "identity_owner"
    [before] = databases().keys() - {"identity"}
    assert databases() == {"identity": True, before: False}
    sql("postgres", f"ALTER DATABASE {before} ALLOW_CONNECTIONS true")
    assert sql(before, "SELECT username FROM identity.account") == "anna"


def test_the_job_is_the_suspended_one_with_the_file_that_was_named(recette: FakeCluster) -> None:
    restore(recette)
    [job] = [item for item in recette.objects() if item["metadata"]["name"].startswith("restore-")]
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert {"name": "BACKUP", "value": BACKUP} in container["env"]
    assert schemas.complaint(job) is None


def test_after_a_restore_that_fails_the_database_of_before_is_back(recette: FakeCluster) -> None:
    restore(recette, succeeds=False, FAKE_JOB="Failed")
    assert databases() == {"identity": True}
    assert sql("identity", "SELECT username FROM identity.account") == "anna"


def test_a_name_that_leads_out_of_the_folder_of_backups_is_refused(recette: FakeCluster) -> None:
    recette.run(ROOT / "k3s" / "restore", "../../etc/passwd", succeeds=False, FAKE_POSTGRES=SERVER)
    assert databases() == {"identity": True}
