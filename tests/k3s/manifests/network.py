"""Which connections the NetworkPolicies allow.

https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from .cluster import Cluster, Workload, at, namespace_of


@dataclass(frozen=True)
class Peer:
    """An end of a connection: a pod, or an address outside the cluster."""

    name: str
    namespace: str | None
    labels: tuple[tuple[str, str], ...] = ()
    ports: tuple[tuple[str | None, int, str], ...] = ()
    # Blocks of addresses are meant for what is outside, but kube-router, which K3s has, compares those of pods as well.
    address: str = "10.42.0.7"

    def number(self, port: int | str, protocol: str) -> int | None:
        """The number of a port that a policy gives by name or number."""
        if isinstance(port, int):
            return port
        return next((number for name, number, kind in self.ports if (name, kind) == (port, protocol)), None)


# Those of other namespaces that something here could reach or be reached by; "stranger" is any other pod.
STRANGERS = (
    Peer("traefik", "kube-system", (("app.kubernetes.io/name", "traefik"),)),
    Peer("dns", "kube-system", (("k8s-app", "kube-dns"),), (("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"))),
    Peer("metrics-server", "kube-system", (("k8s-app", "metrics-server"),)),
    Peer("gateway", "openfaas", (("app", "gateway"),), ((None, 8080, "TCP"),)),
    Peer("function", "openfaas-fn", (("faas_function", "authenticate-user"),), ((None, 8080, "TCP"),)),
    Peer("cnpg-operator", "cnpg-system", (("app.kubernetes.io/name", "cloudnative-pg"),)),
    Peer("spin-operator", "spin-operator", (("app.kubernetes.io/name", "spin-operator"),)),
    Peer("prometheus", "monitoring", (("app.kubernetes.io/name", "prometheus"),)),
    Peer("stranger", "default"),
)


def outside(name: str, address: str, port: int) -> Peer:
    """A server outside the cluster."""
    return Peer(name, None, (), ((None, port, "TCP"),), address)


def inside(workload: Workload) -> Peer:
    """A workload's pods."""
    ports = tuple((port.get("name"), port["containerPort"], port.get("protocol", "TCP")) for port in workload.ports)
    return Peer(workload.name, workload.namespace, tuple(sorted(workload.labels.items())), ports)


def allowed_paths(cluster: Cluster, others: Iterable[Peer] = STRANGERS) -> set[tuple[str, str, int]]:
    """All connections (from, to, port) that have an end in the overlay's namespaces and that its policies let through.

    From a workload to itself means from one of its pods to another.
    A port that nobody names stands for all others: 1.
    """
    policies = cluster.of("NetworkPolicy")
    peers = [*map(inside, cluster.workloads), *others]
    numbers = (
        {(1, "TCP")}
        | {(number, protocol) for peer in peers for _, number, protocol in peer.ports}
        | set(_numbers_in(policies))
    )
    return {
        (source.name, target.name, number)
        for source in peers
        for target in peers
        for number, protocol in numbers
        if cluster.namespaces & {source.namespace, target.namespace}
        and _lets(policies, "Egress", source, target, number, protocol)
        and _lets(policies, "Ingress", target, source, number, protocol)
    }


def _numbers_in(policies: list[dict]) -> Iterator[tuple[int, str]]:
    for policy in policies:
        for direction in ("ingress", "egress"):
            for rule in policy["spec"].get(direction) or []:
                for port in rule.get("ports") or []:
                    if isinstance(port.get("port"), int):
                        yield port["port"], port.get("protocol", "TCP")
                        yield port.get("endPort", port["port"]), port.get("protocol", "TCP")


def _lets(policies: list[dict], direction: str, subject: Peer, other: Peer, number: int, protocol: str) -> bool:
    """Whether the policies of `subject` let a connection pass; without any for this direction, everything passes."""
    ends = "from" if direction == "Ingress" else "to"
    server = subject if direction == "Ingress" else other
    concerned = [
        policy
        for policy in policies
        if subject.namespace == namespace_of(policy)
        and direction in _directions(policy)
        and matches(policy["spec"].get("podSelector"), subject.labels)
    ]
    return not concerned or any(
        _is_among(rule.get(ends), other, namespace_of(policy)) and _is_port(rule.get("ports"), server, number, protocol)
        for policy in concerned
        for rule in policy["spec"].get(direction.lower()) or []
    )


def _directions(policy: dict) -> list[str]:
    implied = ["Ingress", "Egress"] if policy["spec"].get("egress") else ["Ingress"]
    return policy["spec"].get("policyTypes", implied)


def _is_among(ends: list[dict] | None, peer: Peer, namespace: str) -> bool:
    # Nothing given means everybody.
    return not ends or any(_is_end(end, peer, namespace) for end in ends)


def _is_end(end: dict, peer: Peer, namespace: str) -> bool:
    if "ipBlock" in end:
        block = end["ipBlock"]
        address = ip_address(peer.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(hole) for hole in block.get("except", [])
        )
    if peer.namespace is None:
        return False
    if "namespaceSelector" in end:
        # Every namespace carries its name as this label.
        names = (("kubernetes.io/metadata.name", peer.namespace),)
        if not matches(end["namespaceSelector"], names):
            return False
    elif peer.namespace != namespace:
        return False
    return matches(end.get("podSelector"), peer.labels)


def _is_port(ports: list[dict] | None, server: Peer, number: int, protocol: str) -> bool:
    if not ports:
        return True
    for port in ports:
        if port.get("protocol", "TCP") != protocol:
            continue
        if "port" not in port:
            return True
        first = server.number(port["port"], protocol)
        if first is not None and first <= number <= port.get("endPort", first):
            return True
    return False


def matches(selector: dict | None, labels: tuple[tuple[str, str], ...]) -> bool:
    """Whether a label selector selects; an empty one selects everything."""
    found = dict(labels)
    return all(found.get(key) == value for key, value in at(selector, "matchLabels", {}).items()) and all(
        _holds(expression, found) for expression in at(selector, "matchExpressions", [])
    )


def _holds(expression: dict, labels: dict[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    raise ValueError(f"unknown operator in {expression}")
