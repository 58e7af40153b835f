"""Who may connect to whom: one table."""

from collections.abc import Iterator

from ..cluster import POSTGRES_CLUSTER, Cluster
from ..network import STRANGERS, allowed_paths, outside
from . import rule

JOBS = ("migrate", "migrate-next", "purge", "backup", "reseal", "check", "restore")
CLIENTS_OF_THE_DATABASE = ("identity", "identity-next", *JOBS)
DATABASES = ("database", "identity-database", "managed-database")
# Everything that may connect to something, for the overlays that have both ends. Nothing else may, in any direction.
PATHS = {
    ("traefik", "identity", 80),
    ("traefik", "identity-next", 80),
    *((client, database, 5432) for client in CLIENTS_OF_THE_DATABASE for database in DATABASES),
    *((client, "dns", 53) for client in CLIENTS_OF_THE_DATABASE),
    # CloudNativePG: the operator asks each instance for its state; instances speak to each other, to the API server
    # (K3s: 6443) and to the store of their archive.
    ("cnpg-operator", "identity-database", 8000),
    ("identity-database", "dns", 53),
    *(("identity-database", "identity-database", port) for port in (5432, 8000)),
    *(("identity-database", "outside", port) for port in (443, 6443)),
}
# With k3s/monitoring.
MONITORED = {("prometheus", "identity-database", 9187)}
# Addresses for documentation (RFC 5737): one that nobody has named, and one of the network of a managed database.
_OUTSIDE = outside("outside", "203.0.113.1", 443)
_MANAGED_DATABASE = outside("managed-database", "192.0.2.10", 5432)


@rule
def policies_allow_the_paths_of_the_table_and_no_other(cluster: Cluster) -> Iterator[str]:
    has_its_own = cluster.of("StatefulSet", POSTGRES_CLUSTER)
    others = (*STRANGERS, _OUTSIDE) if has_its_own else (*STRANGERS, _OUTSIDE, _MANAGED_DATABASE)
    there = {peer.name for peer in others} | {workload.name for workload in cluster.workloads}
    table = PATHS | MONITORED if cluster.of("PodMonitor") else PATHS
    wanted = {path for path in table if {path[0], path[1]} <= there}
    allowed = allowed_paths(cluster, others)
    for source, target, port in sorted(wanted - allowed):
        yield f"{source} cannot reach {target}:{port}"
    for source, target, port in sorted(allowed - wanted):
        yield f"{source} can reach {target}:{'any port' if port == 1 else port}"


@rule
def every_namespace_denies_what_is_not_named(cluster: Cluster) -> Iterator[str]:
    for item in cluster.of("Namespace"):
        name = item["metadata"]["name"]
        if not any(
            policy["spec"].get("podSelector") == {}
            and set(policy["spec"].get("policyTypes", [])) == {"Ingress", "Egress"}
            and not policy["spec"].get("ingress")
            and not policy["spec"].get("egress")
            for policy in cluster.of("NetworkPolicy")
            if policy["metadata"].get("namespace") == name
        ):
            yield f"namespace {name} has no policy that denies everything"
