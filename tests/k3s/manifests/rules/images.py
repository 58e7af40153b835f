"""Images and what is called in them."""

import re
import shlex
from collections.abc import Iterator
from functools import cache

from ..cluster import POSTGRES_CLUSTER, Cluster, at, name_of
from ..places import ROOT
from . import rule

# Which line of the lock file an image's digest is.
LINES = {
    "ghcr.io/cofrap/identity": "IDENTITY_DIGEST",
    "ghcr.io/cofrap/identity-ops": "IDENTITY_OPS_DIGEST",
    "docker.io/library/postgres": "POSTGRES_DIGEST",
    "ghcr.io/cloudnative-pg/postgresql": "CNPG_POSTGRES_DIGEST",
    "docker.io/library/busybox": "BUSYBOX_DIGEST",
}
JOBS_IMAGE = "ghcr.io/cofrap/identity-ops"
# CloudNativePG reads the major version from a tag; a digest beside it decides all the same.
_TAG_BESIDE = {"ghcr.io/cloudnative-pg/postgresql"}
# A variable that a shell script uses.
_USE = r"\$\{?([A-Z_]+)"
_SCRIPTS = "/opt/identity/scripts/"
# Of PostgreSQL's own programs, which the image has: does a server answer?
ASKS_THE_SERVER = "pg_isready"


@rule
def every_image_is_a_digest_of_the_lock_file(cluster: Cluster) -> Iterator[str]:
    for workload in cluster.workloads:
        for container in workload.containers:
            image = container["image"]
            parts = re.fullmatch(r"([a-z0-9./-]+)(:[\w.-]+)?@(sha256:[0-9a-f]{64})", image)
            if not parts:
                yield f"{workload.name}: {image} is not named by a digest"
            elif parts[2] and parts[1] not in _TAG_BESIDE:
                yield f"{workload.name}: {image} has a tag, which nothing holds to the digest"
            elif parts[1] not in LINES:
                yield f"{workload.name}: the lock file knows no image {parts[1]}"
            elif parts[3] != cluster.lock.get(LINES[parts[1]]):
                yield f"{workload.name}: the digest of {parts[1]} is not the lock file's {LINES[parts[1]]}"


@rule
def every_job_calls_what_is_in_its_image(cluster: Cluster) -> Iterator[str]:
    for workload, container in of_the_jobs_image(cluster):
        for call in calls(container):
            match call:
                case ["identity-ops", command, *_] if command in commands():
                    pass
                case [program, *_] if program == ASKS_THE_SERVER:
                    pass
                case ["identity-ops", *rest]:
                    yield f"{workload.name}: identity-ops has no command {rest[:1]}"
                case [program, *_] if program.startswith(_SCRIPTS):
                    name = program.removeprefix(_SCRIPTS)
                    if not (ROOT / "scripts" / name).is_file():
                        yield f"{workload.name}: there is no scripts/{name}"
                    elif f"scripts/{name}" not in (ROOT / "Containerfile").read_text().split():
                        yield f"{workload.name}: the Containerfile does not copy scripts/{name}"
                case other:
                    yield f"{workload.name}: {other} is neither the owner's tool nor a script of the project"


@rule
def no_database_is_newer_than_the_clients_of_the_jobs(cluster: Cluster) -> Iterator[str]:
    """An older pg_dump refuses a newer server. (`make release-check` says the same of the lock file's own image.)"""
    clients = cluster.lock["POSTGRES_CLIENTS_VERSION"]
    for item in cluster.of(POSTGRES_CLUSTER):
        major = re.search(r":(\d+)", item["spec"]["imageName"])
        if major and int(major[1]) > int(re.match(r"\d+", clients)[0]):
            yield f"{name_of(item)} is PostgreSQL {major[1]}, and the jobs have the clients of {clients}"


@rule
def nothing_is_migrated_that_the_jobs_could_not_back_up(cluster: Cluster) -> Iterator[str]:
    for workload in cluster.workloads:
        made = [call for container in workload.containers for call in calls(container)]
        if workload.owner["kind"] == "Job" and ["identity-ops", "migrate"] in made:
            before = made[: min(made.index(["identity-ops", command]) for command in ("role", "migrate"))]
            if [_SCRIPTS + "backup", "--check"] not in before:
                yield f"{workload.name} does not look first whether its clients can back the database up"


@rule
def every_variable_of_a_job_is_read_by_what_it_calls(cluster: Cluster) -> Iterator[str]:
    for workload, container in of_the_jobs_image(cluster):
        read = set().union(*(_variables_of(program) for program, *_ in calls(container)))
        read |= set(re.findall(_USE, " ".join(container.get("command", []))))
        for variable in container.get("env", []):
            if variable["name"] not in read:
                yield f"{workload.name}: nothing that it calls reads {variable['name']}"


def calls(container: dict) -> list[list[str]]:
    """The commands that a container runs, one after the other."""
    match container.get("command", []):
        case ["bash", "-ec", text]:
            return [shlex.split(line) for line in text.splitlines() if line.strip()]
        case ["bash", "-c", text]:
            # A loop around a program with options.
            return [shlex.split(call) for call in re.findall(r"^ +([a-z_]+ --.*?)(?: &&|$)", text, re.MULTILINE)]
        case command:
            return [command or [""]]


def of_the_jobs_image(cluster: Cluster) -> Iterator[tuple]:
    for workload in cluster.workloads:
        for container in workload.containers:
            if container["image"].split("@")[0].split(":")[0] == JOBS_IMAGE:
                yield workload, container


@cache
def _help() -> str:
    return (ROOT / "crates/ops/src/main.rs").read_text().split('const HELP: &str = "')[1].split('\n";')[0]


def commands() -> set[str]:
    """The commands of identity-ops, as its help lists them."""
    listed = _help().split("Commands:\n")[1].split("\n\n")[0]
    return set(re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE))


@cache
def _variables_of(program: str) -> set[str]:
    """The environment that a program reads: what the tool's help lists, or what a script names."""
    if program == "identity-ops":
        return set(re.findall(r"^  ([A-Z_]+)\b", _help().split("Environment:\n")[1], re.MULTILINE))
    script = ROOT / "scripts" / program.removeprefix(_SCRIPTS)
    if not script.is_file():
        return set()
    text = script.read_text()
    sourced = [script.parent / name for name in re.findall(r"^\. .*?([\w-]+\.sh)\"?$", text, re.MULTILINE)]
    for file in sourced:
        text += file.read_text() if file.is_file() else ""
    return set(re.findall(_USE, text))


def has_limits(container: dict) -> bool:
    """Whether a container says what it needs, and can take no more memory than that."""
    return bool(at(container, "resources.requests") and at(container, "resources.limits.memory"))
