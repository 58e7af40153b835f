"""Every overlay keeps every rule."""

import pytest

from manifests.cluster import Cluster
from manifests.places import ROOT
from manifests.rendering import kustomizations, overlays, render
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
