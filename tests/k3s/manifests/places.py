"""Where things are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SPIN_MANIFEST = ROOT / "spin.toml"
# The folders that hold manifests.
MANIFESTS = ("k3s", "runtime-class")
LOCK_FILE = Path("k3s/release/release.env")
# The one that k3s/deploy fills.
NAMESPACE = "cofrap-identity"
# The published CRDs are not part of the project.
CRDS = Path(os.environ.get("K3S_CRDS") or ROOT.parent / "shared" / "crds")
