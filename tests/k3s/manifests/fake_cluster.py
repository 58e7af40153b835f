"""A kubectl that talks to a folder instead of a cluster: what scripts would do there can be seen, and done again.

Scripts call it a hundred times over, so it imports what takes long only where it is needed.

It knows the calls that the project's scripts make, and refuses every other. What needs no cluster (`kubectl kustomize`)
it leaves to the real one. Nothing runs in it: a Job has the state of FAKE_JOB, a rollout is done when it is asked for.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

_LAUNCHER = """#!/bin/sh
exec '{python}' -m manifests.fake_cluster "$@"
"""
# What a prepared cluster has.
_PREPARED = ("crd", "runtimeclass")


class FakeCluster:
    """A cluster in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        programs = folder / "bin"
        programs.mkdir()
        (folder / "objects").mkdir()
        kubectl = programs / "kubectl"
        kubectl.write_text(_LAUNCHER.format(python=sys.executable))
        kubectl.chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "REAL_PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "FAKE_CLUSTER": str(folder),
            "FAKE_JOB": "Complete",
        }

    def copy(self, folder: Path) -> "FakeCluster":
        """Another cluster that has the same objects, and was told nothing yet."""
        other = FakeCluster(folder)
        shutil.copytree(self.folder / "objects", folder / "objects", dirs_exist_ok=True)
        return other

    def has(self, *items: dict) -> None:
        """Puts objects into it."""
        for item in items:
            file = self.folder / "objects" / f"{item['kind']}-{item['metadata']['name']}.json".lower()
            file.write_text(json.dumps(item))

    def run(self, *command: str | Path, succeeds: bool = True, **environment: str) -> str:
        """Runs a script of the project against it, and returns what it said."""
        done = subprocess.run(
            [str(word) for word in command],
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        if (done.returncode == 0) != succeeds:
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stdout}")
        return done.stdout

    def objects(self) -> list[dict]:
        """What is in the cluster."""
        return [json.loads(file.read_text()) for file in sorted((self.folder / "objects").iterdir())]

    def secrets(self) -> dict[str, dict[str, str]]:
        """The secrets: names, keys and values."""
        return {
            item["metadata"]["name"]: {key: base64.b64decode(value).decode() for key, value in item["data"].items()}
            for item in self.objects()
            if item["kind"] == "Secret"
        }

    def calls(self) -> list[str]:
        """Every command line of kubectl, in order; `changed KIND/NAME` for each object that it changed."""
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []


# --- kubectl ---

_FOLDER = Path(os.environ.get("FAKE_CLUSTER", "."))


def _main(arguments: list[str]) -> int:
    _note(" ".join(arguments))
    options = dict(word.removeprefix("--").split("=", 1) for word in arguments if re.match(r"--[a-z-]+=", word))
    words = [word for word in arguments if not word.startswith("-")]
    if "--namespace" in arguments:
        words.remove(arguments[arguments.index("--namespace") + 1])
    match words:
        case ["kustomize", overlay]:
            os.environ["PATH"] = os.environ["REAL_PATH"]
            from .rendering import renderer

            return subprocess.run([*renderer(), overlay], check=False).returncode
        case [("create" | "apply" | "replace") as verb] if "filename" in options:
            from .reading import documents

            text = sys.stdin.read() if options["filename"] == "-" else Path(options["filename"]).read_text()
            return _change(verb, documents(text), options.get("selector"))
        case ["get", kind, _] if kind in _PREPARED:
            print(kind)
        case ["get", "job", _]:
            print(os.environ["FAKE_JOB"], end="")
        # The operator makes the Deployment of a SpinApp.
        case ["get", "deployment", name] if _file("spinapp", name).exists():
            print(json.loads(_file("spinapp", name).read_text())["spec"]["image"])
        case ["get", kind, name]:
            return _get(kind, name, options["output"], "--ignore-not-found" in arguments)
        case ["rollout", "restart" | "status", _] | ["wait", _] | ["delete", "job", _]:
            pass
        # Kubernetes takes the pods of a job away that took too long.
        case ["logs", _] if os.environ["FAKE_JOB"] == "Failed":
            return _fail("timed out waiting for the condition")
        case ["logs", _]:
            pass
        case ["create", "job", name] if "from" in options:
            if "--dry-run=client" in arguments:
                print(_job(name, options["from"].removeprefix("cronjob/")))
        case ["exec", _, "psql"]:
            return _psql([word for word in arguments[arguments.index("psql") + 1 :] if "--username" not in word])
        case _:
            return _fail(f"the fake cluster does not know: {' '.join(arguments)}")
    return 0


def _change(verb: str, items: list[dict], selector: str | None) -> int:
    key, _, value = (selector or "").partition("=")
    for item in items:
        if selector and item["metadata"].get("labels", {}).get(key) != value:
            continue
        file = _file(item["kind"], item["metadata"]["name"])
        if verb != "apply" and file.exists() != (verb == "replace"):
            return _fail(f"{file.stem} {'already exists' if file.exists() else 'not found'}")
        file.write_text(json.dumps(item))
        group = item["apiVersion"].rpartition("/")[0]
        name = f"{'.'.join(filter(None, [item['kind'].lower(), group]))}/{item['metadata']['name']}"
        _note(f"changed {item['kind']}/{item['metadata']['name']}")
        print(name)
    return 0


def _get(kind: str, name: str, form: str, may_be_missing: bool) -> int:
    file = _file(kind, name)
    if not file.exists():
        return 0 if may_be_missing else _fail(f'{kind} "{name}" not found')
    item = json.loads(file.read_text())
    key = re.fullmatch(r'go-template=\{\{index \.data "([^"]+)" \| base64decode\}\}', form)
    if form == "name":
        print(f"{kind}/{name}")
    elif form == "jsonpath={.spec.image}":
        print(item["spec"]["image"], end="")
    elif key:
        print(base64.b64decode(item["data"][key[1]]).decode(), end="")
    else:
        return _fail(f"the fake cluster does not know the form {form}")
    return 0


def _job(name: str, cron_job: str) -> str:
    """The Job that a CronJob would make."""
    import yaml

    template = json.loads(_file("cronjob", cron_job).read_text())["spec"]["jobTemplate"]
    metadata = {"name": name, "namespace": "cofrap-identity"}
    return yaml.safe_dump({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]})


def _psql(options: list[str]) -> int:
    """What the server's pod would do, done by a real PostgreSQL: the one in the folder FAKE_POSTGRES."""
    from .places import ROOT

    command = [ROOT / "scripts" / "postgres", "psql", os.environ["FAKE_POSTGRES"], "postgres", *options]
    return subprocess.run(command, check=False).returncode


def _file(kind: str, name: str) -> Path:
    return _FOLDER / "objects" / f"{kind}-{name}.json".lower()


def _note(line: str) -> None:
    with (_FOLDER / "calls").open("a") as calls:
        calls.write(line + "\n")


def _fail(reason: str) -> int:
    print(f"Error from server: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
