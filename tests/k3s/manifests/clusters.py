"""Every overlay as a cluster would have it."""

import tempfile
from functools import cache
from pathlib import Path

from .cluster import Cluster
from .made_secrets import secrets_of, with_settings
from .rendering import copy_of_a_release, overlays, render

# What a cluster has beside an overlay when that is applied.
_EVERYWHERE = ["k3s/traefik", "runtime-class"]
_BESIDE = {
    "k3s/overlays/recette": ["k3s/traffic/spin"],
    "k3s/overlays/production": ["k3s/traffic/spin"],
    "k3s/overlays/production-managed": ["k3s/traffic/spin"],
    "k3s/overlays/production-next": ["k3s/overlays/production", "k3s/traffic/releases"],
    "k3s/overlays/production-managed-next": ["k3s/overlays/production-managed", "k3s/traffic/releases"],
    "k3s/monitoring": ["k3s/overlays/production", "k3s/traffic/spin"],
    "k3s/traffic/openfaas": ["k3s/overlays/production"],
    "k3s/traffic/canary": ["k3s/overlays/production"],
    "k3s/traffic/spin": ["k3s/overlays/production"],
    "k3s/traffic/releases": ["k3s/overlays/production", "k3s/overlays/production-next"],
}


@cache
def clusters() -> list[Cluster]:
    """One for each overlay, in a release of its own: see `copy_of_a_release`."""
    with tempfile.TemporaryDirectory() as folder:
        release = Path(folder)
        lock = copy_of_a_release(release)
        rendered = {str(overlay): render(release / overlay) for overlay in overlays(release)}
    made = []
    for name in rendered:
        applied = [*(other for other in _EVERYWHERE if other != name), *_BESIDE.get(name, []), name]
        secrets = [secrets_of(with_settings(other)) for other in applied if "/overlays/" in other]
        made.append(
            Cluster(
                name,
                [item for other in applied for item in rendered[other]],
                lock,
                {secret: keys for some in secrets for secret, keys in some.items()},
            )
        )
    return made
