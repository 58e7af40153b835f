"""What the checks are built on: if these were wrong, the rules would agree with anything."""

import pytest

from manifests.cluster import Cluster
from manifests.network import Peer, allowed_paths
from manifests.places import MANIFESTS, ROOT
from manifests.quantities import amount_of_bytes
from manifests.reading import DuplicateKeyError, documents
from manifests.rules.images import commands
from manifests.rules.scaling import deployment_steps
from manifests.traefik import Request, matcher


def manifests() -> list:
    return [file for folder in MANIFESTS for file in sorted((ROOT / folder).rglob("*.y*ml"))]


@pytest.mark.parametrize("file", manifests(), ids=lambda file: str(file.relative_to(ROOT)))
def test_no_key_stands_twice_in(file) -> None:
    assert documents(file.read_text())


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(DuplicateKeyError, match="'name'"):
        documents("metadata:\n  name: a\n  labels: {}\n  name: b\n")


def test_a_key_that_is_merged_may_be_said_again() -> None:
    [_, [probe]] = documents("- &probe {period: 5, tries: 3}\n---\n- {period: 10}\n")
    assert probe == {"period": 10}
    [merged] = documents("a: &probe {period: 5, tries: 3}\nb: {<<: *probe, period: 10}\n")
    assert merged["b"] == {"period": 10, "tries": 3}


def test_the_commands_and_steps_are_found() -> None:
    assert {"role", "migrate", "purge", "reseal"} <= commands()
    assert {"foundation", "database", "migration", "application", "ingress"} <= deployment_steps()


@pytest.mark.parametrize(("text", "amount"), [("64Mi", 64 << 20), ("1Gi", 1 << 30), ("500M", 5 * 10**8), (8192, 8192)])
def test_a_quantity_is_read(text: str | int, amount: int) -> None:
    assert amount_of_bytes(text) == amount


@pytest.mark.parametrize(
    ("rule", "path", "taken"),
    [
        ("Host(`h`)", "/", True),
        ("Host(`other`)", "/", False),
        ("Host(`other`) || Host(`h`)", "/", True),
        ("Host(`h`) && !PathPrefix(`/a`)", "/ab", False),
        ("Host(`h`) && !PathPrefix(`/a`)", "/b", True),
        ("Host(`h`) && (Path(`/a`) || Path(`/b`))", "/b", True),
        ("Host(`h`) && (Path(`/a`) || Path(`/b`))", "/b/", False),
        ("Host(`other`) && Path(`/a`) || Path(`/b`)", "/b", True),
        ("Host(`other`) && (Path(`/a`) || Path(`/b`))", "/b", False),
        ("Host(`h`) && Header(`X-Canary`, `yes`)", "/", True),
        ("Host(`h`) && Header(`X-Canary`, `no`)", "/", False),
    ],
)
def test_a_rule_of_traefik_is_read(rule: str, path: str, taken: bool) -> None:
    assert matcher(rule)(Request("h", path, headers={"x-canary": "yes"})) is taken


@pytest.mark.parametrize("rule", ["Host(`h`", "Host(h)", "Hosts(`h`)", "Host(`h`) Path(`/`)", "Host(`h`) && "])
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        matcher(rule)


def policy(subject: dict, **directions) -> dict:
    spec = {"podSelector": subject, "policyTypes": [key.capitalize() for key in directions]} | directions
    return {"kind": "NetworkPolicy", "metadata": {"name": "policy", "namespace": "ours"}, "spec": spec}


SERVER = Peer("server", "ours", (("app", "server"),), ((None, 5432, "TCP"),))
CLIENT = Peer("client", "ours", (("app", "client"),))
THERE = Peer("there", "elsewhere", (("app", "client"),))
ANY = {"server": {"matchLabels": {"app": "server"}}, "client": {"matchLabels": {"app": "client"}}}
FROM_CLIENT = [{"from": [{"podSelector": ANY["client"]}], "ports": [{"port": 5432}]}]


@pytest.mark.parametrize(
    ("policies", "allowed"),
    [
        # Without a policy everything passes.
        ([], {("client", 5432), ("client", 1), ("there", 5432), ("there", 1)}),
        ([policy({}, ingress=[])], set()),
        ([policy({}, ingress=[{}])], {("client", 5432), ("client", 1), ("there", 5432), ("there", 1)}),
        ([policy(ANY["server"], ingress=FROM_CLIENT)], {("client", 5432)}),
        # Both ends have to allow it.
        ([policy(ANY["server"], ingress=FROM_CLIENT), policy({}, egress=[])], set()),
        (
            [
                policy(ANY["server"], ingress=FROM_CLIENT),
                policy({}, egress=[{"to": [{"podSelector": ANY["server"]}], "ports": [{"port": 5432}]}]),
            ],
            {("client", 5432)},
        ),
        # Another namespace has to be named.
        (
            [
                policy(
                    ANY["server"],
                    ingress=[{"from": [{"namespaceSelector": {}, "podSelector": ANY["client"]}]}],
                )
            ],
            {("client", 5432), ("client", 1), ("there", 5432), ("there", 1)},
        ),
        # A second policy adds, and takes nothing away.
        ([policy({}, ingress=[]), policy(ANY["server"], ingress=FROM_CLIENT)], {("client", 5432)}),
        # kube-router compares the addresses of pods with blocks.
        ([policy(ANY["server"], ingress=[{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}])], set()),
        (
            [
                policy(
                    ANY["server"], ingress=[{"from": [{"ipBlock": {"cidr": "10.42.0.0/16"}}], "ports": [{"port": 1}]}]
                )
            ],
            {("client", 1), ("there", 1)},
        ),
    ],
)
def test_policies_are_read_as_kubernetes_reads_them(policies: list[dict], allowed: set) -> None:
    namespace = {"kind": "Namespace", "metadata": {"name": "ours"}}
    cluster = Cluster("example", [namespace, *policies], {})
    paths = allowed_paths(cluster, (SERVER, CLIENT, THERE))
    assert {(source, port) for source, target, port in paths if target == "server" and source != "server"} == allowed
