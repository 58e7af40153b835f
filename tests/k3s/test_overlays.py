"""Every overlay keeps every rule."""

from pathlib import Path

import pytest

from manifests.cluster import Cluster
from manifests.places import ROOT
from manifests.rendering import copy_of_a_release, kustomizations, overlays, render
from manifests.rules import RULES


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_it_holds_that(rule, cluster: Cluster) -> None:
    assert list(rule(cluster)) == []


@pytest.mark.parametrize("overlay", overlays(), ids=str)
def test_an_overlay_renders_as_it_stands_in_the_checkout(overlay) -> None:
    assert render(ROOT / overlay)


def test_every_kustomization_is_an_overlay_or_part_of_one() -> None:
    assert len(overlays()) < len(list(kustomizations()))
    assert {"recette", "production"} <= {overlay.name for overlay in overlays()}


def test_a_managed_database_is_reached_at_the_port_of_the_settings(tmp_path: Path) -> None:
    copy_of_a_release(tmp_path)
    overlay = tmp_path / "k3s" / "overlays" / "production-managed"
    settings = overlay / "settings" / "settings.env"
    settings.write_text(settings.read_text().replace("DATABASE_PORT=5432", "DATABASE_PORT=25060"))
    [policy] = [item for item in render(overlay) if item["metadata"]["name"] == "database-clients-reach-the-database"]
    assert policy["spec"]["egress"][0]["ports"] == [{"protocol": "TCP", "port": 25060}]
