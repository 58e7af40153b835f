"""How many there are, how big, and how they are looked after."""

import re
from collections.abc import Iterator

from ..cluster import SPIN_APP, Cluster, at, name_of, namespace_of
from ..places import NAMESPACE, ROOT
from ..quantities import amount_of_bytes
from . import rule
from .images import ASKS_THE_SERVER, calls, has_limits, of_the_jobs_image

# k3s/traffic and k3s/monitoring are applied by themselves.
_APPLIED_APART = {"traffic", "monitoring"}
# Spin answers this itself, without a component and without PostgreSQL.
SPINS_OWN_HEALTH = "/.well-known/spin/health"


@rule
def replicas_are_set_by_the_application_or_by_its_autoscaler(cluster: Cluster) -> Iterator[str]:
    for app in cluster.of(SPIN_APP):
        scaled = app["spec"].get("enableAutoscaling", False)
        if scaled == ("replicas" in app["spec"]):
            yield f"{name_of(app)}: `replicas` is for an application without autoscaling, and for no other"
        if scaled != (cluster.autoscaler_of(app) is not None):
            yield f"{name_of(app)}: an autoscaler and `enableAutoscaling` go together"


@rule
def every_autoscaler_has_an_application_and_a_measure(cluster: Cluster) -> Iterator[str]:
    for scaler in cluster.of("HorizontalPodAutoscaler"):
        spec = scaler["spec"]
        target = spec["scaleTargetRef"]
        app = cluster.get(SPIN_APP, target["name"], namespace_of(scaler))
        # A SpinApp has no scale of its own: its Deployment, of the same name, has.
        if (target.get("apiVersion"), target["kind"]) != ("apps/v1", "Deployment") or not app:
            yield f"{name_of(scaler)} has to scale the Deployment of a SpinApp"
            continue
        if spec.get("minReplicas", 1) < 2:
            yield f"{name_of(scaler)}: a single pod cuts requests off whenever it is replaced"
        for metric in spec.get("metrics", []):
            name = at(metric, "resource.name")
            if name and not at(app, f"spec.resources.requests.{name}"):
                yield f"{name_of(scaler)} measures {name} as a share of what {name_of(app)} does not request"


@rule
def a_disruption_budget_leaves_room_for_a_drain(cluster: Cluster) -> Iterator[str]:
    for budget in cluster.of("PodDisruptionBudget"):
        spec = budget["spec"]
        for app in cluster.of(SPIN_APP):
            if at(spec, "selector.matchLabels", {}).get("core.spinkube.dev/app-name") != app["metadata"]["name"]:
                continue
            least = cluster.least_pods(app)
            if "maxUnavailable" in spec and spec["maxUnavailable"] in (0, "0%"):
                yield f"{name_of(budget)} lets no node be drained"
            if isinstance(spec.get("minAvailable"), int) and spec["minAvailable"] >= least:
                yield f"{name_of(budget)} lets no node be drained while there are {least} pods"


@rule
def every_application_is_probed(cluster: Cluster) -> Iterator[str]:
    for app in cluster.of(SPIN_APP):
        for probe in ("readiness", "liveness"):
            if not at(app, f"spec.checks.{probe}.httpGet.path"):
                yield f"{name_of(app)} has no {probe} probe"
            elif not isinstance(at(app, f"spec.checks.{probe}.httpGet.httpHeaders"), list):
                yield f"{name_of(app)} is refused by spin-operator: its {probe} probe has no list of headers"
        if at(app, "spec.checks.liveness.httpGet.path", SPINS_OWN_HEALTH) != SPINS_OWN_HEALTH:
            yield f"{name_of(app)} would be restarted for what a restart does not mend"


@rule
def every_server_is_probed(cluster: Cluster) -> Iterator[str]:
    for item in cluster.of("StatefulSet", "Deployment"):
        for container in item["spec"]["template"]["spec"]["containers"]:
            for probe in ("readinessProbe", "livenessProbe"):
                if probe not in container:
                    yield f"{name_of(item)}: {container['name']} has no {probe}"


@rule
def every_container_says_what_it_needs_and_how_much_memory_it_may_take(cluster: Cluster) -> Iterator[str]:
    for workload in cluster.workloads:
        for container in workload.containers:
            if not has_limits(container):
                yield f"{workload.name}: {container['name']} has no requests or no limit of its memory"


@rule
def the_memory_of_one_request_fits_into_the_pod(cluster: Cluster) -> Iterator[str]:
    for app in cluster.of(SPIN_APP):
        one, pod = at(app, "spec.invocationLimits.memory"), at(app, "spec.resources.limits.memory")
        if one is None:
            yield f"{name_of(app)}: a request may take all the memory of its pod"
        elif pod is not None and amount_of_bytes(one) > amount_of_bytes(pod):
            yield f"{name_of(app)}: a request may take {one}, its pod {pod}"


@rule
def every_job_ends_and_leaves_no_crowd_behind(cluster: Cluster) -> Iterator[str]:
    for item in cluster.of("Job", "CronJob"):
        job = item["spec"] if item["kind"] == "Job" else item["spec"]["jobTemplate"]["spec"]
        if "activeDeadlineSeconds" not in job or "backoffLimit" not in job:
            yield f"{name_of(item)} has no deadline or no limit of its attempts"
        if item["kind"] == "CronJob":
            if item["spec"].get("concurrencyPolicy") != "Forbid":
                yield f"{name_of(item)} may run beside itself"
            for limit in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
                if limit not in item["spec"]:
                    yield f"{name_of(item)} has no {limit}"


@rule
def only_what_may_run_at_any_time_runs_by_the_clock(cluster: Cluster) -> Iterator[str]:
    """The others wait, suspended, for an operator who starts them."""
    for workload, container in of_the_jobs_image(cluster):
        if workload.owner["kind"] == "CronJob" and not at(workload.owner, "spec.suspend", False):
            for program, *arguments in calls(container):
                if program == ASKS_THE_SERVER:
                    continue
                if (program, *arguments[:1]) != ("identity-ops", "purge") and not program.endswith("/backup"):
                    yield f"{name_of(workload.owner)} runs {program} {' '.join(arguments)}"


@rule
def the_migration_comes_before_the_application(cluster: Cluster) -> Iterator[str]:
    """In Argo CD's waves; k3s/deploy keeps the same order."""
    jobs = [item for item in cluster.of("Job") if "migrate" in str(at(item, "spec.template.spec.containers"))]
    for app in cluster.of(SPIN_APP):
        if not any(_wave(job) < _wave(app) for job in jobs):
            yield f"{name_of(app)} does not wait for a migration"
    for job in jobs:
        for item in cluster.of("StatefulSet", "Cluster", "NetworkPolicy", "ServiceAccount", "Namespace"):
            if _wave(item) >= _wave(job):
                yield f"{name_of(job)} does not wait for {name_of(item)}"


def _wave(item: dict) -> int:
    return int(at(item, "metadata.annotations", {}).get("argocd.argoproj.io/sync-wave", "0"))


@rule
def every_object_belongs_to_a_step_of_the_deployment(cluster: Cluster) -> Iterator[str]:
    """k3s/deploy applies what carries the label of one of its steps, and would pass over anything else."""
    steps = deployment_steps() | _APPLIED_APART
    for item in cluster.objects:
        ours = NAMESPACE in (namespace_of(item), item["metadata"]["name"])
        if ours and at(item, "metadata.labels", {}).get("app.kubernetes.io/component") not in steps:
            yield f"{name_of(item)} belongs to none of {', '.join(sorted(steps))}"


def deployment_steps() -> set[str]:
    """The steps of k3s/deploy."""
    text = "".join((ROOT / file).read_text() for file in ("k3s/deploy", "k3s/cluster.sh"))
    return set(re.findall(r"\bapply_component ([a-z]+)", text))
