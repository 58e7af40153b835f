"""Finds the kustomizations that are meant to be applied, and renders them."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .places import LOCK_FILE, MANIFESTS, ROOT
from .reading import assignments, documents

_FILE = "kustomization.yaml"


def kustomizations(root: Path = ROOT) -> Iterator[Path]:
    """Every folder with a kustomization, components included, relative to `root`."""
    for folder in MANIFESTS:
        for file in sorted((root / folder).rglob("kustomization.y*ml")):
            # Kustomize takes either ending; with one there is one way to look for them.
            assert file.name == _FILE, f"{file}: call it {_FILE}"
            yield file.parent.relative_to(root)


def overlays(root: Path = ROOT) -> list[Path]:
    """Those that are meant to be applied: each in a folder `overlays`, and what no other kustomization builds on."""
    found: dict[Path, dict] = {}
    for folder in kustomizations(root):
        [found[folder]] = documents((root / folder / _FILE).read_text())
    built_on = {
        (root / folder / name).resolve()
        for folder, content in found.items()
        for name in [*content.get("resources", []), *content.get("components", [])]
    }
    return [
        folder
        for folder, content in found.items()
        if content.get("kind", "Kustomization") == "Kustomization"
        and (folder.parent.name == "overlays" or (root / folder).resolve() not in built_on)
    ]


def renderer() -> list[str]:
    """The command that renders a folder; scripts/manifests finds it, or installs one."""
    return os.environ.get("KUSTOMIZE", "kubectl kustomize").split()


def render(folder: Path) -> list[dict]:
    """The objects of a kustomization."""
    done = subprocess.run([*renderer(), str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{folder} does not render: {done.stderr.strip()}")
    return documents(done.stdout)


def copy_of_a_release(target: Path) -> dict[str, str]:
    """Copies manifests and scripts, with a lock file as a release leaves it, and returns that.

    Each digest is another one. In the checkout they are all zeros, and a digest that came to the wrong image could not
    be told from the right one.
    """
    for folder in (*MANIFESTS, "scripts"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, target / folder)
    lock = {
        name: re.sub(r"(?<![0-9a-f])0{64}(?![0-9a-f])", hashlib.sha256(name.encode()).hexdigest(), value)
        for name, value in assignments((ROOT / LOCK_FILE).read_text()).items()
    }
    (target / LOCK_FILE).write_text("".join(f"{name}={value}\n" for name, value in lock.items()))
    return lock
