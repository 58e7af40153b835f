"""What an overlay puts into a cluster: its objects, and what the operators make of them.

What spin-operator 0.6.1 and CloudNativePG 1.28 make is written down from their sources and documentation; no operator
ran here.
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

SPIN_APP, EXECUTOR, POSTGRES_CLUSTER = "SpinApp", "SpinAppExecutor", "Cluster"
# A Deployment's default strategy, which a SpinApp cannot change.
_SURGE_SHARE = 0.25


def at(value: Any, path: str, default: Any = None) -> Any:
    """The value at a dotted path, or the default where something on the way is missing."""
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return default
        value = value[key]
    return value


def name_of(item: dict) -> str:
    """Kind and name, for people."""
    return f"{item['kind']} {item['metadata']['name']}"


def namespace_of(item: dict) -> str | None:
    """The namespace that an object is in, if any."""
    return item["metadata"].get("namespace")


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value within, with its dotted path; the value itself first."""
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from walk(child, f"{path}.{key}" if path else str(key))


@dataclass(frozen=True)
class Workload:
    """Pods that are made alike. `pod` is their spec; `owner` is the object of the overlay that they come from."""

    owner: dict
    namespace: str
    labels: dict[str, str]
    pod: dict

    @property
    def name(self) -> str:
        """The owner's name."""
        return self.owner["metadata"]["name"]

    @property
    def containers(self) -> list[dict]:
        """All containers, those that run first included."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def ports(self) -> list[dict]:
        """The ports that containers name: name, containerPort, protocol."""
        return [port for container in self.containers for port in container.get("ports", [])]

    def port(self, wanted: int | str) -> int | None:
        """The number of a port that is given by name or number, if a container has it."""
        for port in self.ports:
            if wanted in (port["containerPort"], port.get("name")):
                return port["containerPort"]
        return None


@dataclass
class Cluster:
    """The objects of an overlay and of those that it stands on, and the secrets that are made beside them."""

    name: str
    objects: list[dict]
    lock: dict[str, str]
    # Name of a secret -> its keys.
    secrets: dict[str, set[str]] = field(default_factory=dict)

    def broken_by(self, change) -> "Cluster":
        """A copy whose objects `change` has changed."""
        draft = Cluster(self.name, copy.deepcopy(self.objects), self.lock, copy.deepcopy(self.secrets))
        change(draft)
        # Another one, because what the draft was asked on the way it remembers.
        return Cluster(self.name, draft.objects, self.lock, draft.secrets)

    def of(self, *kinds: str) -> list[dict]:
        """The objects of these kinds."""
        return [item for item in self.objects if item["kind"] in kinds]

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict | None:
        """The object of that name, in that namespace if one is given."""
        for item in self.of(kind):
            if item["metadata"]["name"] == name and namespace in (None, namespace_of(item)):
                return item
        return None

    def one(self, kind: str, name: str | None = None) -> dict:
        """The object, or the first of its kind; a LookupError where there is none."""
        for item in self.of(kind):
            if name in (None, item["metadata"]["name"]):
                return item
        raise LookupError(f"{self.name} has no {kind} {name or ''}")

    @property
    def namespaces(self) -> set[str]:
        """The namespaces that the overlay makes."""
        return {item["metadata"]["name"] for item in self.of("Namespace")}

    @cached_property
    def workloads(self) -> list[Workload]:
        """Everything that becomes pods."""
        made = []
        for item in self.objects:
            match item["kind"]:
                case "Deployment" | "StatefulSet" | "DaemonSet" | "Job":
                    template = item["spec"]["template"]
                case "CronJob":
                    template = item["spec"]["jobTemplate"]["spec"]["template"]
                case "Pod":
                    template = item
                case "SpinApp":
                    template = self._pod_of_a_spin_app(item)
                case "Cluster":
                    template = _pod_of_a_postgres_cluster(item)
                case _:
                    continue
            labels = at(template, "metadata.labels", {})
            if item["kind"] == "Job":
                labels = labels | {"batch.kubernetes.io/job-name": item["metadata"]["name"]}
            made.append(Workload(item, namespace_of(item), labels, template["spec"]))
        return made

    def workload(self, name: str) -> Workload:
        """The pods of that owner."""
        [found] = [workload for workload in self.workloads if workload.name == name]
        return found

    @cached_property
    def services(self) -> list[dict]:
        """The Services of the overlay, and those that operators make of it."""
        made = self.of("Service")
        for item in self.of(SPIN_APP):
            name = item["metadata"]["name"]
            ports = [{"port": 80, "targetPort": "http-app"}]
            made.append(_service(item, name, _ready(name), ports))
        for item in self.of(POSTGRES_CLUSTER):
            name = item["metadata"]["name"]
            for suffix, role in (("rw", {"cnpg.io/instanceRole": "primary"}), ("ro", {}), ("r", {})):
                selector = {"cnpg.io/cluster": name, "cnpg.io/podRole": "instance"} | role
                made.append(_service(item, f"{name}-{suffix}", selector, [{"port": 5432, "targetPort": 5432}]))
        return made

    def pods_of(self, service: dict) -> list[Workload]:
        """The workloads that a Service sends to."""
        selector = service["spec"].get("selector") or {}
        return [
            workload
            for workload in self.workloads
            if selector and workload.namespace == namespace_of(service) and selector.items() <= workload.labels.items()
        ]

    def autoscaler_of(self, app: dict) -> dict | None:
        """The autoscaler of a SpinApp's Deployment."""
        for item in self.of("HorizontalPodAutoscaler"):
            target = item["spec"]["scaleTargetRef"]
            if (target["kind"], target["name"]) == ("Deployment", app["metadata"]["name"]):
                return item
        return None

    def most_pods(self, app: dict) -> int:
        """How many pods of a SpinApp there may be at once: all replicas, and those that a roll-out adds."""
        scaler = self.autoscaler_of(app)
        replicas = scaler["spec"]["maxReplicas"] if scaler else app["spec"].get("replicas", 1)
        return replicas + math.ceil(replicas * _SURGE_SHARE)

    def least_pods(self, app: dict) -> int:
        """How many pods of a SpinApp there always are."""
        scaler = self.autoscaler_of(app)
        return scaler["spec"].get("minReplicas", 1) if scaler else app["spec"].get("replicas", 1)

    def _pod_of_a_spin_app(self, app: dict) -> dict:
        name, spec = app["metadata"]["name"], app["spec"]
        executor = self.get(EXECUTOR, spec["executor"], namespace_of(app)) or {}
        authority = at(executor, "spec.deploymentConfig.caCertSecret")
        container = {
            "name": name,
            "image": spec["image"],
            "command": ["/"],
            "ports": [{"name": "http-app", "containerPort": 80, "protocol": "TCP"}],
            "env": [
                {"name": f"SPIN_VARIABLE_{variable['name'].upper()}"}
                | {key: value for key, value in variable.items() if key != "name"}
                for variable in spec.get("variables", [])
            ],
            "resources": spec.get("resources", {}),
        }
        pod = {
            "containers": [container],
            "volumes": list(spec.get("volumes", [])),
            "imagePullSecrets": spec.get("imagePullSecrets", []),
            "serviceAccountName": spec.get("serviceAccountName", "default"),
            "runtimeClassName": at(executor, "spec.deploymentConfig.runtimeClassName"),
        }
        if authority:
            items = [{"key": "ca-certificates.crt", "path": "ca-certificates.crt"}]
            pod["volumes"].append({"name": "spin-ca", "secret": {"secretName": authority, "items": items}})
        labels = spec.get("podLabels", {}) | {"core.spinkube.dev/app-name": name} | _ready(name)
        return {"metadata": {"labels": labels}, "spec": pod}


def _ready(app: str) -> dict[str, str]:
    return {f"core.spinkube.dev/app.{app}.status": "ready"}


def _pod_of_a_postgres_cluster(item: dict) -> dict:
    name, spec = item["metadata"]["name"], item["spec"]
    ports = [
        {"name": "postgresql", "containerPort": 5432, "protocol": "TCP"},
        {"name": "metrics", "containerPort": 9187, "protocol": "TCP"},
        {"name": "status", "containerPort": 8000, "protocol": "TCP"},
    ]
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
    }
    labels = {"cnpg.io/cluster": name, "cnpg.io/podRole": "instance", "cnpg.io/instanceRole": "primary"}
    return {
        "metadata": {"labels": labels | at(spec, "inheritedMetadata.labels", {})},
        "spec": {
            "containers": [
                {
                    "name": "postgres",
                    "image": spec.get("imageName", ""),
                    "ports": ports,
                    "securityContext": security,
                    "resources": spec.get("resources", {}),
                }
            ],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 26,
                "fsGroup": 26,
                "seccompProfile": spec.get("seccompProfile", {"type": "RuntimeDefault"}),
            },
            "imagePullSecrets": spec.get("imagePullSecrets", []),
        },
    }


def _service(owner: dict, name: str, selector: dict, ports: list[dict]) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace_of(owner)},
        "spec": {"selector": selector, "ports": ports},
    }
