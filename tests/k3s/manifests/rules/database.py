"""Connections: how many there may be, and where they lead."""

import re
from collections.abc import Iterator

from ..cluster import POSTGRES_CLUSTER, SPIN_APP, Cluster, at, name_of, namespace_of
from ..network import matches
from . import rule
from .images import ASKS_THE_SERVER, calls
from .variables import value_of

# Spin keeps up to this many for each connection string, in each pod; it has no setting for it (spin 3.6.3).
POOL = 64
# For the jobs, the owner, and PostgreSQL's own three.
RESERVE = 20
# A managed database has its limit elsewhere; the overlay repeats it here, where the replicas are.
LIMIT_ANNOTATION = "identity.cofrap/database-max-connections"
# The label of pods that the policies let reach the database.
_CLIENT = ("database-client", "true")


@rule
def all_connections_of_all_pods_fit_into_the_database(cluster: Cluster) -> Iterator[str]:
    needed = sum(cluster.most_pods(app) for app in cluster.of(SPIN_APP)) * POOL + RESERVE
    if needed == RESERVE:
        return
    limit = max_connections(cluster)
    if limit is None:
        yield "how many connections the database takes stands nowhere"
    elif needed > limit:
        yield f"up to {needed} connections, but max_connections is {limit}"


def max_connections(cluster: Cluster) -> int | None:
    """The setting of the overlay's database."""
    for item in cluster.of(POSTGRES_CLUSTER):
        return int(at(item, "spec.postgresql.parameters", {}).get("max_connections", 100))
    for item in cluster.of("ConfigMap"):
        found = re.search(r"^max_connections = (\d+)$", at(item, "data", {}).get("postgresql.conf", ""), re.MULTILINE)
        if found:
            return int(found[1])
    for item in cluster.of(SPIN_APP):
        if said := at(item, "metadata.annotations", {}).get(LIMIT_ANNOTATION):
            return int(said)
    return None


@rule
def what_the_application_may_reach_is_the_database(cluster: Cluster) -> Iterator[str]:
    """spin.toml lets the components reach pg_host and pg_port: a Service of the overlay's database by its full name."""
    databases = {
        f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc": service["spec"]["ports"]
        for service in cluster.services
        if any(pod.owner["kind"] in ("StatefulSet", POSTGRES_CLUSTER) for pod in cluster.pods_of(service))
    }
    if not cluster.of("StatefulSet", POSTGRES_CLUSTER):
        # A managed one, whose name is the operator's to set.
        return
    for app in cluster.of(SPIN_APP):
        host, port = value_of(app, "pg_host"), value_of(app, "pg_port")
        if host not in databases:
            yield f"{name_of(app)} reaches {host}, but the database is {' or '.join(sorted(databases)) or 'nowhere'}"
        elif port not in [str(one["port"]) for one in databases[host]]:
            yield f"{name_of(app)} reaches port {port} of {host}, which has none such"
        elif host.split(".")[0].endswith(("-ro", "-r")):
            yield f"{name_of(app)} reaches {host}, which may be a standby and take no writes"


@rule
def policies_let_the_application_out_to_the_port_of_its_database(cluster: Cluster) -> Iterator[str]:
    for app in cluster.of(SPIN_APP):
        labels = tuple(cluster.workload(app["metadata"]["name"]).labels.items())
        if _CLIENT not in labels:
            continue
        ports = {
            port.get("port")
            for policy in cluster.of("NetworkPolicy")
            if namespace_of(policy) == namespace_of(app) and matches(policy["spec"].get("podSelector"), labels)
            for way in policy["spec"].get("egress") or []
            for port in way.get("ports") or []
        }
        if int(value_of(app, "pg_port") or 0) not in ports:
            yield f"no policy lets {name_of(app)} out to port {value_of(app, 'pg_port')}"


@rule
def every_job_waits_until_it_reaches_the_database(cluster: Cluster) -> Iterator[str]:
    """K3s's network policies know a pod only some seconds after it started, and a job that fails is another pod."""
    ways = set()
    for workload in cluster.workloads:
        if workload.owner["kind"] in ("Job", "CronJob") and _CLIENT in workload.labels.items():
            first = at(workload.pod, "initContainers", [{}])[0]
            ways.add(str(first.get("command")))
            if ASKS_THE_SERVER not in [program for program, *_ in calls(first)]:
                yield f"{workload.name} begins before it knows that PostgreSQL answers"
    if len(ways) > 1:
        yield "jobs wait for the database in different ways"
