"""Whatever an object names has to be there: secrets and their keys, ports, accounts, volumes, pods."""

from collections.abc import Iterator

from ..cluster import EXECUTOR, POSTGRES_CLUSTER, SPIN_APP, Cluster, at, name_of, namespace_of, walk
from ..network import matches
from . import rule

# The shim's name in containerd's configuration, as K3s writes it when it finds the shim in its PATH.
RUNTIME_HANDLER = "spin"
# What PostgreSQL's operator makes for each of its clusters: <cluster>-<suffix> with these keys.
_OPERATORS_SECRETS = {
    "app": {"username", "password", "uri", "dbname", "host", "port", "pgpass", "jdbc-uri"},
    "ca": {"ca.crt", "ca.key"},
    "server": {"tls.crt", "tls.key"},
    "replication": {"tls.crt", "tls.key"},
}
_BASIC = ("username", "password")
_TLS = ("tls.crt", "tls.key")


@rule
def every_secret_that_is_named_is_made_with_its_keys(cluster: Cluster) -> Iterator[str]:
    there = dict(cluster.secrets)
    for item in cluster.of(POSTGRES_CLUSTER):
        for suffix, keys in _OPERATORS_SECRETS.items():
            there[f"{item['metadata']['name']}-{suffix}"] = keys
    for item, name, keys in secrets_named(cluster):
        if name not in there:
            yield f"{name_of(item)} names a secret {name}, which nothing makes"
        elif missing := set(keys) - there[name]:
            yield f"{name_of(item)}: the secret {name} has no key {', '.join(sorted(missing))}"


def secrets_named(cluster: Cluster) -> Iterator[tuple[dict, str, tuple[str, ...]]]:
    """Every reference to a secret: the object, the secret's name, and the keys that have to be in it."""
    for item in cluster.objects:
        for path, value in walk(item.get("spec", {})):
            yield from ((item, name, keys) for name, keys in _named_at(path, value))
        if item["kind"] == "ServiceAccount":
            for secret in item.get("imagePullSecrets", []):
                yield item, secret["name"], (".dockerconfigjson",)


def _named_at(path: str, value) -> Iterator[tuple[str, tuple[str, ...]]]:
    key = path.rpartition(".")[2]
    match key, value:
        case "secretKeyRef", {"name": name, "key": wanted}:
            yield name, (wanted,)
        case "secretRef", {"name": name}:
            yield name, ()
        case "secret", {"secretName": name}:
            yield name, tuple(one["key"] for one in value.get("items", []))
        # Of a projected volume, or of PostgreSQL's operator (a user and the password).
        case "secret", {"name": name}:
            yield name, tuple(one["key"] for one in value.get("items", [])) if "sources" in path else _BASIC
        case (("passwordSecret" | "superuserSecret"), {"name": name}):
            yield name, _BASIC
        case "imagePullSecrets", list():
            yield from ((one["name"], (".dockerconfigjson",)) for one in value)
        case "caCertSecret", str():
            yield value, ("ca-certificates.crt",)
        case "tls", {"secretName": name}:
            yield name, _TLS
        case "defaultCertificate", {"secretName": name}:
            yield name, _TLS
        case (("serverTLSSecret" | "clientTLSSecret" | "replicationTLSSecret"), str()):
            yield value, _TLS
        case (("serverCASecret" | "clientCASecret"), str()):
            yield value, ("ca.crt",)
        case (
            ("endpointCA" | "accessKeyId" | "secretAccessKey" | "region" | "sessionToken"),
            {"name": name, "key": wanted},
        ):
            yield name, (wanted,)
        case _ if "secret" in key.lower() and key not in ("secret", "secretName") and value:
            # Rather refused than overlooked.
            yield f"({path} is a reference that these checks do not know)", ()


@rule
def every_other_object_that_is_named_is_there(cluster: Cluster) -> Iterator[str]:
    """Config maps, claims and accounts of pods; middlewares, options and transports of Traefik's rules."""
    for workload in cluster.workloads:
        account = workload.pod.get("serviceAccountName", "default")
        if account != "default" and not cluster.get("ServiceAccount", account, workload.namespace):
            yield f"{workload.name}: there is no ServiceAccount {account}"
        for path, value in walk(workload.pod):
            match path.rpartition(".")[2], value:
                case "configMap", {"name": name}:
                    kind = "ConfigMap"
                case "configMapKeyRef", {"name": name}:
                    kind = "ConfigMap"
                case "persistentVolumeClaim", {"claimName": name}:
                    kind = "PersistentVolumeClaim"
                case _:
                    continue
            if not cluster.get(kind, name, workload.namespace):
                yield f"{workload.name}: there is no {kind} {name}"
    for route in cluster.of("IngressRoute"):
        for path, value in walk(route["spec"]):
            match path.rpartition(".")[2], value:
                case "serversTransport", str():
                    kind, name = "ServersTransport", value
                case "options", {"name": name}:
                    kind = "TLSOption"
                case "middlewares", [*names]:
                    for one in names:
                        if not cluster.get("Middleware", one["name"], one.get("namespace", namespace_of(route))):
                            yield f"{name_of(route)}: there is no Middleware {one['name']}"
                    continue
                case _:
                    continue
            if not cluster.get(kind, name, namespace_of(route)):
                yield f"{name_of(route)}: there is no {kind} {name}"


@rule
def every_mount_has_its_volume(cluster: Cluster) -> Iterator[str]:
    for workload in cluster.workloads:
        claims = at(workload.owner, "spec.volumeClaimTemplates", [])
        volumes = {volume["name"] for volume in workload.pod.get("volumes", [])} | {
            claim["metadata"]["name"] for claim in claims
        }
        for container in workload.containers:
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    yield f"{workload.name}: there is no volume {mount['name']}"


@rule
def every_service_leads_to_a_port_of_its_pods(cluster: Cluster) -> Iterator[str]:
    for service in cluster.services:
        pods = cluster.pods_of(service)
        if not pods:
            yield f"Service {service['metadata']['name']} selects no pod"
        for pod in pods:
            for port in service["spec"]["ports"]:
                target = port.get("targetPort", port["port"])
                if pod.port(target) is None:
                    yield f"Service {service['metadata']['name']}: the pods of {pod.name} have no port {target}"


@rule
def every_controller_selects_its_own_pods(cluster: Cluster) -> Iterator[str]:
    for item in cluster.of("Deployment", "StatefulSet", "DaemonSet"):
        labels = tuple(at(item, "spec.template.metadata.labels", {}).items())
        if not matches(item["spec"]["selector"], labels):
            yield f"{name_of(item)} does not select the pods that it makes"
        others = [
            other.name
            for other in cluster.workloads
            if other.owner is not item
            and other.namespace == namespace_of(item)
            and matches(item["spec"]["selector"], tuple(other.labels.items()))
        ]
        if others:
            yield f"{name_of(item)} also selects the pods of {', '.join(others)}"


@rule
def every_policy_and_budget_selects_a_pod(cluster: Cluster) -> Iterator[str]:
    # What is about the application has nothing to select where that waits for a recovery.
    if not cluster.of(SPIN_APP):
        return
    for item in cluster.of("NetworkPolicy", "PodDisruptionBudget", "PodMonitor"):
        selector = item["spec"].get("podSelector", item["spec"].get("selector", {}))
        if not any(
            workload.namespace == namespace_of(item) and matches(selector, tuple(workload.labels.items()))
            for workload in cluster.workloads
        ):
            yield f"{name_of(item)} selects no pod"


@rule
def every_application_has_an_executor_of_its_namespace(cluster: Cluster) -> Iterator[str]:
    for app in cluster.of(SPIN_APP):
        executor = app["spec"].get("executor")
        if not executor:
            yield f"{name_of(app)} names no executor, and would get the first one of the whole cluster"
        elif not cluster.get(EXECUTOR, executor, namespace_of(app)):
            yield f"{name_of(app)}: there is no executor {executor} in its namespace"


@rule
def every_executor_runs_pods_by_the_shim(cluster: Cluster) -> Iterator[str]:
    for executor in cluster.of(EXECUTOR):
        deployment = at(executor, "spec.deploymentConfig", {})
        if not executor["spec"]["createDeployment"] or "spinImage" in deployment:
            yield f"{name_of(executor)} makes no pods that the shim runs"
        name = deployment.get("runtimeClassName")
        if not cluster.get("RuntimeClass", name):
            yield f"{name_of(executor)}: there is no RuntimeClass {name}"
    for item in cluster.of("RuntimeClass"):
        if item["handler"] != RUNTIME_HANDLER:
            yield f"{name_of(item)}: K3s calls the shim's runtime {RUNTIME_HANDLER}, not {item['handler']}"
        if not at(item, "scheduling.nodeSelector"):
            yield f"{name_of(item)} sends pods to nodes without the shim"
