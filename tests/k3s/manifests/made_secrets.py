"""The secrets that the project's script makes, seen by running it against an empty cluster."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from .fake_cluster import FakeCluster
from .places import ROOT
from .reading import assignments, documents

SCRIPT = ROOT / "k3s" / "secrets"
AUTHORITY_OF_A_MANAGED_DATABASE = "an authority's certificate, as far as the script looks at it\n"


def with_settings(overlay: str) -> str:
    """The overlay, or the one that it stands on, that has settings: the secrets are made for that one."""
    while not (ROOT / overlay / "settings" / "settings.env").is_file():
        [content] = documents((ROOT / overlay / "kustomization.yaml").read_text())
        others = [Path(name).name for name in content["resources"] if Path(name).parent == Path("..")]
        others += [Path(name).parent.name for name in content["resources"] if Path(name).name == "settings"]
        overlay = f"{Path(overlay).parent}/{others[0]}"
    return overlay


def settings_of(overlay: str) -> dict[str, str]:
    """What an operator has set for an overlay."""
    return assignments((ROOT / overlay / "settings" / "settings.env").read_text())


def inputs(overlay: str, folder: Path) -> dict[str, str]:
    """What an operator brings: the environment of the script."""
    settings = settings_of(overlay)
    address = f"{settings['DATABASE_HOST']}:{settings['DATABASE_PORT']}/{settings['DATABASE_NAME']}"
    authority, login = folder / "authority.pem", folder / "login.json"
    authority.write_text(AUTHORITY_OF_A_MANAGED_DATABASE)
    login.write_text('{"auths": {}}')
    return {
        "REGISTRY_LOGIN": str(login),
        "BACKUP_STORE_ID": "store-id",
        "BACKUP_STORE_SECRET": "store-secret",
        "DATABASE_URL": f"postgres://owner:owners-password@{address}",
        "DATABASE_AUTHORITY": str(authority),
    }


@cache
def prepared(overlay: str) -> FakeCluster:
    """A cluster that has an overlay's secrets and nothing else. It is shared: copy it to change something."""
    folder = Path(tempfile.mkdtemp(prefix="manifests-"))
    atexit.register(shutil.rmtree, folder)
    cluster = FakeCluster(folder)
    cluster.run(SCRIPT, overlay, **inputs(overlay, folder))
    return cluster


def secrets_of(overlay: str) -> dict[str, set[str]]:
    """The secrets beside an overlay: their names and keys."""
    return {name: set(values) for name, values in prepared(overlay).secrets().items()}
