"""What pods may do: the Pod Security Standards, and no token of the Kubernetes API for who needs none.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

import re
from collections.abc import Callable, Iterator

from ..cluster import SPIN_APP, Cluster, Workload, at, name_of, walk
from . import rule

_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip
_SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
}  # fmt: skip


def baseline(workload: Workload) -> Iterator[str]:
    """What the level "baseline" refuses."""
    pod = workload.pod
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield key
    for volume in pod.get("volumes", []):
        if "hostPath" in volume:
            yield f"the host's folder {volume['hostPath']['path']}"
    for sysctl in at(pod, "securityContext.sysctls", []):
        if sysctl["name"] not in _SYSCTLS:
            yield f"the kernel's setting {sysctl['name']}"
    for container in workload.containers:
        security = container.get("securityContext", {})
        if security.get("privileged"):
            yield f"a privileged container, {container['name']}"
        if more := set(at(security, "capabilities.add", [])) - _CAPABILITIES:
            yield f"the capabilities {', '.join(sorted(more))} of {container['name']}"
        if any(port.get("hostPort") for port in container.get("ports", [])):
            yield f"a port of the host, of {container['name']}"
        if security.get("procMount", "Default") != "Default":
            yield f"procMount of {container['name']}"
        if at(security, "seccompProfile.type") == "Unconfined":
            yield f"no seccomp profile for {container['name']}"
    if at(pod, "securityContext.seccompProfile.type") == "Unconfined":
        yield "no seccomp profile"


def restricted(workload: Workload) -> Iterator[str]:
    """What the level "restricted" refuses."""
    yield from baseline(workload)
    pod = workload.pod
    for volume in pod.get("volumes", []):
        if not _VOLUMES & volume.keys():
            yield f"the volume {volume['name']}"
    for container in workload.containers:
        name, own = container["name"], container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"allowPrivilegeEscalation of {name}"
        if "ALL" not in at(own, "capabilities.drop", []):
            yield f"the capabilities of {name}"
        if set(at(own, "capabilities.add", [])) - {"NET_BIND_SERVICE"}:
            yield f"the added capabilities of {name}"
        if not _said(pod, own, "runAsNonRoot", lambda value: value is True):
            yield f"{name} may run as root"
        if own.get("runAsUser") == 0 or at(pod, "securityContext.runAsUser") == 0:
            yield f"{name} runs as root"
        if not _said(pod, own, "seccompProfile", lambda value: at(value, "type") in ("RuntimeDefault", "Localhost")):
            yield f"{name} has no seccomp profile"


def _said(pod: dict, own: dict, key: str, holds: Callable[[object], bool]) -> bool:
    """Whether it holds for a container: what it says itself wins over what its pod says."""
    return holds(own[key] if key in own else at(pod, f"securityContext.{key}"))


_LEVELS = {"privileged": lambda _: iter(()), "baseline": baseline, "restricted": restricted}


@rule
def every_namespace_says_which_pods_it_lets_in(cluster: Cluster) -> Iterator[str]:
    for item in cluster.of("Namespace"):
        for mode in ("enforce", "warn", "audit"):
            if at(item, "metadata.labels", {}).get(f"pod-security.kubernetes.io/{mode}") not in _LEVELS:
                yield f"{name_of(item)} has no level to {mode}"


@rule
def every_pod_fits_the_security_level_of_its_namespace(cluster: Cluster) -> Iterator[str]:
    for workload in cluster.workloads:
        for refused in _LEVELS[_level(cluster, workload, "enforce")](workload):
            yield f"{workload.name}: {refused}"


@rule
def every_pod_that_is_no_spin_application_fits_the_level_that_its_namespace_warns_about(
    cluster: Cluster,
) -> Iterator[str]:
    """A SpinApp has no field for a security context."""
    for workload in cluster.workloads:
        if workload.owner["kind"] != SPIN_APP:
            for refused in _LEVELS[_level(cluster, workload, "warn")](workload):
                yield f"{workload.name}: {refused}"


@rule
def no_pod_gets_a_token_of_the_kubernetes_api(cluster: Cluster) -> Iterator[str]:
    for workload in cluster.workloads:
        # Instances of PostgreSQL's operator speak to the API, as an account that it makes.
        if workload.owner["kind"] == "Cluster":
            continue
        account = cluster.get("ServiceAccount", workload.pod.get("serviceAccountName", "default"), workload.namespace)
        said = workload.pod.get("automountServiceAccountToken", at(account, "automountServiceAccountToken"))
        if said is not False:
            yield f"{workload.name} gets one"


@rule
def no_container_of_ours_can_change_its_own_files(cluster: Cluster) -> Iterator[str]:
    """Spin writes at the root of its file system, so SpinApps cannot keep this."""
    for workload in cluster.workloads:
        if workload.owner["kind"] not in (SPIN_APP, "DaemonSet"):
            for container in workload.containers:
                if at(container, "securityContext.readOnlyRootFilesystem") is not True:
                    yield f"{workload.name}: {container['name']} can"


@rule
def nothing_lets_spin_log_what_passes_through_it(cluster: Cluster) -> Iterator[str]:
    """From `debug` on, for one crate or all, Spin logs connection strings and the parameters of statements."""
    for item in cluster.objects:
        for path, value in walk(item):
            given = []
            if isinstance(value, dict) and value.get("name") == "RUST_LOG":
                given.append(value.get("value"))
            elif path.rpartition(".")[2] == "RUST_LOG":
                given.append(value)
            elif isinstance(value, str):
                given.extend(re.findall(r"\bRUST_LOG=[\"']?([^\s\"']*)", value))
            for filter_ in given:
                if filter_ not in ("off", "error", "warn", "info"):
                    yield f"{name_of(item)}: RUST_LOG is {filter_ or 'read from elsewhere'}"


def _level(cluster: Cluster, workload: Workload, mode: str) -> str:
    labels = at(cluster.get("Namespace", workload.namespace), "metadata.labels", {})
    return labels.get(f"pod-security.kubernetes.io/{mode}", "restricted")
