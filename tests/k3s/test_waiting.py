"""How a job waits until it reaches the database: the command of its first container, against a real PostgreSQL."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from manifests.places import ROOT
from manifests.postgres import SERVER, postgres
from manifests.rendering import render


@pytest.fixture
def url() -> Iterator[str]:
    """The owner's connection to a server that runs."""
    postgres("start", SERVER, "--for-tests")
    try:
        yield postgres("url", SERVER, "postgres").strip()
    finally:
        postgres("reset", SERVER)


def waiting(url: str, attempts: int = 60) -> subprocess.Popen:
    """The command, which asks that many times instead of 60."""
    [job] = [item for item in render(ROOT / "k3s/overlays/recette") if item["kind"] == "Job"]
    bash, option, text = job["spec"]["template"]["spec"]["initContainers"][0]["command"]
    assert "{1..60}" in text
    command = [bash, option, text.replace("{1..60}", f"{{1..{attempts}}}")]
    return subprocess.Popen(command, env=os.environ | {"DATABASE_URL": url}, stderr=subprocess.PIPE, text=True)


def test_a_job_goes_on_where_the_database_answers(url: str) -> None:
    assert waiting(url, attempts=1).wait(timeout=60) == 0


def test_a_job_waits_for_a_database_that_does_not_answer_yet(url: str) -> None:
    postgres("stop", SERVER)
    job = waiting(url)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            job.wait(timeout=2)
        postgres("start", SERVER)
        assert job.wait(timeout=60) == 0
    finally:
        job.kill()


def test_a_job_gives_up_and_says_why(url: str) -> None:
    postgres("stop", SERVER)
    job = waiting(url, attempts=2)
    assert "PostgreSQL cannot be reached." in job.communicate(timeout=60)[1]
    assert job.returncode == 1
