"""What the checks share: every overlay, rendered once as of a release."""

import pytest

from manifests import schemas
from manifests.clusters import clusters


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes a `cluster` runs for each overlay."""
    if "cluster" in metafunc.fixturenames:
        found = clusters()
        metafunc.parametrize("cluster", found, ids=[one.name for one in found])


def pytest_terminal_summary(terminalreporter) -> None:
    """Says what could not be checked."""
    if not schemas.crds_are_here():
        terminalreporter.write_line(
            f"There are no CRDs in {schemas.CRDS} (K3S_CRDS names another folder): custom resources were not held "
            "against their schemas. Everything else was checked."
        )
