"""A broken manifest of each kind.

Each is a good overlay with one small change, and is refused by the rule that is meant to refuse it, and by no other.
"""

import copy
from collections.abc import Callable

import pytest

from manifests import schemas
from manifests.cluster import Cluster, at, walk
from manifests.clusters import clusters
from manifests.rules import RULES
from manifests.rules.database import POOL, max_connections

Change = Callable[[Cluster], None]
CASES: dict[str, tuple[Change, set[str]]] = {}


def refused_by(*rules: str) -> Callable[[Change], Change]:
    """Makes a function a case: what it does to a good overlay, these rules refuse."""

    def case(change: Change) -> Change:
        assert change.__name__ not in CASES
        CASES[change.__name__] = change, set(rules)
        return change

    return case


def broken(change: Change) -> Cluster:
    """The first overlay that has what the change is about, changed; a whole installation rather than a part."""
    for cluster in sorted(clusters(), key=lambda one: "/overlays/" not in one.name):
        try:
            return cluster.broken_by(change)
        except LookupError:
            continue
    raise LookupError(f"no overlay has what {change.__name__} changes")


@pytest.mark.parametrize(("change", "expected"), CASES.values(), ids=lambda value: getattr(value, "__name__", ""))
def test_it_is_refused(change: Change, expected: set[str]) -> None:
    is_known_by_its_crd = expected == {"every_custom_resource_fits_its_definition"} and change not in OF_METADATA
    if is_known_by_its_crd and not schemas.crds_are_here():
        # Said at the end of the run; the other rules have nothing against these.
        expected = set()
    cluster = broken(change)
    assert {name for name, rule in RULES.items() if list(rule(cluster))} == expected


def test_every_rule_refuses_something() -> None:
    assert set(RULES) - set().union(*(rules for _, rules in CASES.values())) == set()


# --- where things are in the overlays ---


def app_of(cluster: Cluster) -> dict:
    return cluster.one("SpinApp", "identity")


def variable(cluster: Cluster, name: str) -> dict:
    return next(item for item in app_of(cluster)["spec"]["variables"] if item["name"] == name)


def migration_of(cluster: Cluster) -> dict:
    return cluster.one("Job", "migrate")["spec"]["template"]["spec"]


def database_of(cluster: Cluster) -> dict:
    return cluster.one("StatefulSet", "database")["spec"]["template"]["spec"]


def add(cluster: Cluster, api: str, kind: str, name: str, **content) -> None:
    namespace = app_of(cluster)["metadata"]["namespace"]
    labels = {"app.kubernetes.io/component": "foundation"}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    cluster.objects.append({"apiVersion": api, "kind": kind, "metadata": metadata, **content})


def rules_of(cluster: Cluster, route: str) -> list[dict]:
    return cluster.one("IngressRoute", route)["spec"]["routes"]


# --- form ---


@refused_by("every_object_of_kubernetes_fits_its_schema")
def a_field_that_kubernetes_does_not_know(cluster):
    cluster.one("CronJob")["spec"]["schedul"] = "@daily"


@refused_by("every_object_of_kubernetes_fits_its_schema")
def a_text_where_a_number_has_to_be(cluster):
    cluster.one("CronJob")["spec"]["startingDeadlineSeconds"] = "600"


@refused_by("every_object_of_kubernetes_fits_its_schema")
def an_api_version_that_does_not_exist_yet(cluster):
    cluster.one("CronJob")["apiVersion"] = "batch/v2"


@refused_by("every_object_of_kubernetes_fits_its_schema")
def an_api_version_that_exists_no_more(cluster):
    cluster.one("CronJob")["apiVersion"] = "batch/v1beta1"


@refused_by("every_object_of_kubernetes_fits_its_schema")
def an_api_group_without_its_domain(cluster):
    cluster.one("NetworkPolicy")["apiVersion"] = "networking/v1"


@refused_by("every_custom_resource_fits_its_definition")
def a_field_that_the_spin_app_does_not_have(cluster):
    app_of(cluster)["spec"]["nodeSelector"] = {"spin": "true"}


@refused_by("every_custom_resource_fits_its_definition")
def a_field_deep_inside_that_traefik_does_not_have(cluster):
    cluster.one("Middleware", "rate-limit")["spec"]["rateLimit"]["sourceCriterion"]["ipStrategy"]["ipv6Mask"] = 64


@refused_by("every_custom_resource_fits_its_definition")
def a_version_of_a_custom_resource_that_is_not_served(cluster):
    cluster.one("SpinAppExecutor")["apiVersion"] = "core.spinkube.dev/v1"


@refused_by("every_custom_resource_fits_its_definition")
def a_setting_of_postgresql_that_is_a_number(cluster):
    cluster.one("Cluster")["spec"]["postgresql"]["parameters"]["work_mem"] = 4


@refused_by("every_custom_resource_fits_its_definition")
def a_label_of_a_custom_resource_that_is_no_text(cluster):
    app_of(cluster)["metadata"]["labels"]["release"] = 1


# Kubernetes' own schema knows the metadata of custom resources too.
OF_METADATA = [a_label_of_a_custom_resource_that_is_no_text]


@refused_by("every_object_stands_once")
def an_object_that_stands_twice(cluster):
    cluster.objects.append(cluster.one("ServiceAccount"))


@refused_by("every_object_is_in_a_namespace_that_the_overlay_makes")
def an_object_in_another_namespace(cluster):
    add(cluster, "v1", "ConfigMap", "elsewhere", data={})
    cluster.one("ConfigMap", "elsewhere")["metadata"]["namespace"] = "default"


@refused_by("every_object_belongs_to_a_step_of_the_deployment")
def an_object_that_no_step_of_the_deployment_applies(cluster):
    cluster.one("ServiceAccount")["metadata"]["labels"]["app.kubernetes.io/component"] = "other"


# --- images ---


@refused_by("every_image_is_a_digest_of_the_lock_file")
def a_tag_instead_of_a_digest(cluster):
    app_of(cluster)["spec"]["image"] = "ghcr.io/cofrap/identity:1.0.0"


@refused_by("every_image_is_a_digest_of_the_lock_file")
def the_digest_of_another_image(cluster):
    app_of(cluster)["spec"]["image"] = f"ghcr.io/cofrap/identity@{cluster.lock['POSTGRES_DIGEST']}"


@refused_by("every_image_is_a_digest_of_the_lock_file")
def a_digest_that_the_lock_file_does_not_have(cluster):
    migration_of(cluster)["containers"][0]["image"] = "ghcr.io/cofrap/identity-ops@sha256:" + "1" * 64


@refused_by("every_image_is_a_digest_of_the_lock_file")
def an_image_that_the_lock_file_does_not_have(cluster):
    database_of(cluster)["containers"][0]["image"] = f"docker.io/bitnami/postgresql@{cluster.lock['POSTGRES_DIGEST']}"


@refused_by("every_image_is_a_digest_of_the_lock_file")
def a_tag_beside_the_digest(cluster):
    database_of(cluster)["containers"][0]["image"] = f"docker.io/library/postgres:18@{cluster.lock['POSTGRES_DIGEST']}"


@refused_by("every_job_calls_what_is_in_its_image")
def a_command_that_the_owners_tool_does_not_have(cluster):
    migration_of(cluster)["containers"][0]["command"] = ["identity-ops", "migrations"]


@refused_by("no_database_is_newer_than_the_clients_of_the_jobs")
def a_database_that_the_jobs_could_not_back_up(cluster):
    spec = cluster.one("Cluster", "identity-database")["spec"]
    spec["imageName"] = spec["imageName"].replace(":15-", ":19-")


@refused_by("nothing_is_migrated_that_the_jobs_could_not_back_up")
def a_look_at_the_clients_that_comes_after_the_role(cluster):
    containers = migration_of(cluster)["initContainers"]
    containers[1:] = reversed(containers[1:])


@refused_by(
    "every_job_calls_what_is_in_its_image",
    "every_variable_of_a_job_is_read_by_what_it_calls",
    "only_what_may_run_at_any_time_runs_by_the_clock",
)
def a_script_that_the_project_does_not_have(cluster):
    pod = cluster.one("CronJob", "backup")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    pod["containers"][0]["command"] = ["/opt/identity/scripts/back-up", "/backups"]


@refused_by("every_variable_of_a_job_is_read_by_what_it_calls")
def a_variable_of_a_job_that_nothing_reads(cluster):
    migration_of(cluster)["containers"][0]["env"][0]["name"] = "DATABASE_URI"


def waiting_of(cluster: Cluster) -> dict:
    return next(container for container in migration_of(cluster)["initContainers"] if container["name"] == "reach")


@refused_by("every_job_waits_until_it_reaches_the_database")
def a_job_that_begins_before_the_policies_know_it(cluster):
    migration_of(cluster)["initContainers"].remove(waiting_of(cluster))


@refused_by("every_job_waits_until_it_reaches_the_database")
def a_job_that_waits_in_a_way_of_its_own(cluster):
    waiting_of(cluster)["command"][-1] = waiting_of(cluster)["command"][-1].replace("{1..60}", "1")


# --- variables ---


@refused_by("every_application_sets_what_spin_toml_requires")
def a_required_variable_that_is_not_set(cluster):
    app_of(cluster)["spec"]["variables"].remove(variable(cluster, "sealing_keys"))


@refused_by("every_application_sets_what_spin_toml_requires")
def a_variable_that_is_set_twice(cluster):
    app_of(cluster)["spec"]["variables"].append(variable(cluster, "issuer"))


@refused_by("no_application_sets_what_spin_toml_does_not_know")
def an_unknown_variable(cluster):
    app_of(cluster)["spec"]["variables"].append({"name": "log_level", "value": "debug"})


@refused_by("what_is_secret_comes_from_a_secret")
def a_secret_in_the_clear(cluster):
    app_of(cluster)["spec"]["variables"].remove(variable(cluster, "pg_dsn"))
    app_of(cluster)["spec"]["variables"].append({"name": "pg_dsn", "value": "postgres://cofrap_app:secret@database/x"})


def _service(cluster: Cluster, name: str, **port) -> None:
    """A Service that leads to the application's pods, so that nothing but its name can be wrong."""
    selector = {"core.spinkube.dev/app.identity.status": "ready"}
    ports = [{"port": 80, "targetPort": 80} | port]
    add(cluster, "v1", "Service", name, spec={"selector": selector, "ports": ports})


@refused_by("no_service_link_shadows_a_variable")
def a_service_whose_link_shadows_the_port_of_the_database(cluster):
    _service(cluster, "pg")


@refused_by("no_service_link_shadows_a_variable")
def a_service_whose_link_shadows_a_variable_with_its_prefix(cluster):
    _service(cluster, "spin-variable-pg")


@refused_by("no_service_link_shadows_a_variable")
def a_service_of_an_operator_whose_link_shadows_a_variable(cluster):
    """spin-operator makes a Service of the same name."""
    spec = {
        key: value for key, value in app_of(cluster)["spec"].items() if key not in ("podLabels", "enableAutoscaling")
    }
    second = {
        **app_of(cluster),
        "metadata": app_of(cluster)["metadata"] | {"name": "pg"},
        "spec": spec | {"replicas": 1},
    }
    cluster.objects.append(second)


# --- references ---


@refused_by("every_secret_that_is_named_is_made_with_its_keys")
def a_missing_secret(cluster):
    migration_of(cluster)["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]["name"] = "owner"


@refused_by("every_secret_that_is_named_is_made_with_its_keys")
def a_missing_key_of_a_secret(cluster):
    variable(cluster, "pg_dsn")["valueFrom"]["secretKeyRef"]["key"] = "dsn"


@refused_by("every_secret_that_is_named_is_made_with_its_keys")
def an_authority_without_the_key_that_spin_operator_mounts(cluster):
    app_of(cluster)  # only where the executor serves somebody
    cluster.one("SpinAppExecutor")["spec"]["deploymentConfig"]["caCertSecret"] = "identity-tls"


@refused_by("every_secret_that_is_named_is_made_with_its_keys")
def a_certificate_that_nothing_makes(cluster):
    cluster.one("IngressRoute", "identity")["spec"]["tls"]["secretName"] = "identity-certificate"


@refused_by("every_secret_that_is_named_is_made_with_its_keys")
def a_login_at_the_store_of_backups_without_its_key(cluster):
    found = [value for _, value in _walk(cluster, "accessKeyId")]
    if not found:
        raise LookupError
    found[0]["key"] = "ID"


@refused_by("every_secret_that_is_named_is_made_with_its_keys")
def a_reference_to_a_secret_that_the_checks_do_not_know(cluster):
    cluster.one("TLSOption", "identity")["spec"]["clientAuth"] = {"secretNames": ["clients"]}


@refused_by("every_other_object_that_is_named_is_there")
def a_missing_config_map(cluster):
    for volume in database_of(cluster)["volumes"]:
        if "configMap" in volume:
            volume["configMap"]["name"] = "database-settings"


@refused_by("every_other_object_that_is_named_is_there")
def a_missing_transport(cluster):
    app_of(cluster)
    cluster.objects.remove(cluster.one("TLSOption", "identity"))


@refused_by("every_mount_has_its_volume")
def a_mount_without_its_volume(cluster):
    database_of(cluster)["volumes"] = [volume for volume in database_of(cluster)["volumes"] if volume["name"] != "tmp"]


@refused_by("every_service_leads_to_a_port_of_its_pods", "what_the_application_may_reach_is_the_database")
def a_service_with_a_wrong_label(cluster):
    database_of(cluster)
    cluster.one("Service", "database")["spec"]["selector"] = {"app": "postgres"}


@refused_by("every_service_leads_to_a_port_of_its_pods")
def a_service_with_a_wrong_port(cluster):
    database_of(cluster)
    cluster.one("Service", "database")["spec"]["ports"][0]["targetPort"] = "postgres"


@refused_by(
    "every_controller_selects_its_own_pods",
    "every_service_leads_to_a_port_of_its_pods",
    "every_policy_and_budget_selects_a_pod",
    "policies_allow_the_paths_of_the_table_and_no_other",
    "what_the_application_may_reach_is_the_database",
)
def pods_with_a_wrong_label(cluster):
    cluster.one("StatefulSet")["spec"]["template"]["metadata"]["labels"] = {"app": "postgres"}


@refused_by("every_policy_and_budget_selects_a_pod")
def a_budget_with_a_wrong_label(cluster):
    cluster.one("PodDisruptionBudget")["spec"]["selector"] = {"matchLabels": {"app": "identity"}}


@refused_by("every_application_has_an_executor_of_its_namespace")
def an_executor_of_another_name(cluster):
    app_of(cluster)["spec"]["executor"] = "spin"


@refused_by("every_executor_runs_pods_by_the_shim")
def the_handler_of_another_installer(cluster):
    app_of(cluster)
    cluster.one("RuntimeClass")["handler"] = "spin-v2"


@refused_by("every_executor_runs_pods_by_the_shim")
def a_runtime_class_of_another_name(cluster):
    app_of(cluster)
    cluster.one("SpinAppExecutor")["spec"]["deploymentConfig"]["runtimeClassName"] = "spin"


# --- scaling ---


@refused_by("replicas_are_set_by_the_application_or_by_its_autoscaler")
def replicas_beside_an_autoscaler(cluster):
    cluster.one("HorizontalPodAutoscaler")
    app_of(cluster)["spec"]["replicas"] = 2


@refused_by(
    "replicas_are_set_by_the_application_or_by_its_autoscaler",
    "every_autoscaler_has_an_application_and_a_measure",
    "no_more_requests_are_in_flight_than_there_are_connections",
)
def an_autoscaler_of_something_else(cluster):
    cluster.one("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"] = "identities"


@refused_by("every_autoscaler_has_an_application_and_a_measure")
def a_measure_of_what_is_not_requested(cluster):
    cluster.one("HorizontalPodAutoscaler")
    app_of(cluster)["spec"]["resources"]["requests"] = {"memory": "128Mi"}


@refused_by("a_disruption_budget_leaves_room_for_a_drain")
def a_budget_that_lets_no_node_be_drained(cluster):
    spec = cluster.one("PodDisruptionBudget")["spec"]
    spec.pop("minAvailable", None)
    spec["maxUnavailable"] = 0


@refused_by("all_connections_of_all_pods_fit_into_the_database")
def too_many_replicas(cluster):
    cluster.one("HorizontalPodAutoscaler")["spec"]["maxReplicas"] = max_connections(cluster) // POOL


@refused_by("all_connections_of_all_pods_fit_into_the_database")
def a_database_that_takes_fewer_connections(cluster):
    for item in cluster.of("ConfigMap"):
        if "postgresql.conf" in item["data"]:
            item["data"]["postgresql.conf"] = item["data"]["postgresql.conf"].replace("max_connections = ", "#")
            return
    raise LookupError


@refused_by("every_application_is_probed")
def an_application_without_a_probe(cluster):
    del app_of(cluster)["spec"]["checks"]["readiness"]


@refused_by("every_application_is_probed")
def an_application_whose_probe_leaves_its_headers_to_the_operator(cluster):
    del app_of(cluster)["spec"]["checks"]["liveness"]["httpGet"]["httpHeaders"]


@refused_by("every_application_is_probed")
def an_application_that_is_restarted_when_its_database_is_gone(cluster):
    app_of(cluster)["spec"]["checks"]["liveness"]["httpGet"]["path"] = "/api/health"


@refused_by("every_server_is_probed")
def a_database_without_a_probe(cluster):
    del database_of(cluster)["containers"][0]["readinessProbe"]


@refused_by("every_container_says_what_it_needs_and_how_much_memory_it_may_take")
def a_container_without_a_limit(cluster):
    del migration_of(cluster)["containers"][0]["resources"]["limits"]


@refused_by("the_memory_of_one_request_fits_into_the_pod")
def a_request_that_may_take_more_memory_than_its_pod(cluster):
    app_of(cluster)["spec"]["invocationLimits"]["memory"] = "1Gi"


@refused_by("every_job_ends_and_leaves_no_crowd_behind")
def a_job_that_may_run_beside_itself(cluster):
    cluster.one("CronJob")["spec"]["concurrencyPolicy"] = "Allow"


@refused_by("every_job_ends_and_leaves_no_crowd_behind")
def a_job_without_a_deadline(cluster):
    del cluster.one("Job")["spec"]["activeDeadlineSeconds"]


@refused_by("only_what_may_run_at_any_time_runs_by_the_clock")
def a_restore_by_the_clock(cluster):
    cluster.one("CronJob", "restore")["spec"]["suspend"] = False


@refused_by("the_migration_comes_before_the_application")
def an_application_that_does_not_wait_for_the_migration(cluster):
    cluster.one("Job", "migrate")["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] = "2"


@refused_by("the_migration_comes_before_the_application")
def a_migration_that_does_not_wait_for_the_database(cluster):
    cluster.one("StatefulSet")["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "1"}


# --- security ---


@refused_by("every_namespace_says_which_pods_it_lets_in", "every_pod_fits_the_security_level_of_its_namespace")
def a_namespace_without_a_security_level(cluster):
    app_of(cluster)
    del cluster.one("Namespace", "cofrap-identity")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]


@refused_by("every_pod_fits_the_security_level_of_its_namespace")
def a_namespace_that_lets_no_spin_application_in(cluster):
    app_of(cluster)
    labels = cluster.one("Namespace", "cofrap-identity")["metadata"]["labels"]
    labels["pod-security.kubernetes.io/enforce"] = "restricted"


@refused_by("every_pod_that_is_no_spin_application_fits_the_level_that_its_namespace_warns_about")
def a_job_that_runs_as_root(cluster):
    migration_of(cluster)["securityContext"] |= {"runAsUser": 0}


@refused_by("every_pod_that_is_no_spin_application_fits_the_level_that_its_namespace_warns_about")
def a_database_that_keeps_its_capabilities(cluster):
    del database_of(cluster)["containers"][0]["securityContext"]["capabilities"]


@refused_by(
    "every_pod_fits_the_security_level_of_its_namespace",
    "every_pod_that_is_no_spin_application_fits_the_level_that_its_namespace_warns_about",
)
def a_database_in_a_folder_of_the_host(cluster):
    database_of(cluster)["volumes"].append({"name": "host", "hostPath": {"path": "/var/lib/postgresql"}})


@refused_by("no_pod_gets_a_token_of_the_kubernetes_api")
def an_account_whose_token_is_mounted(cluster):
    app_of(cluster)
    del cluster.one("ServiceAccount", "identity")["automountServiceAccountToken"]


@refused_by("no_container_of_ours_can_change_its_own_files")
def a_job_that_can_change_its_own_files(cluster):
    del migration_of(cluster)["containers"][0]["securityContext"]["readOnlyRootFilesystem"]


@refused_by("nothing_lets_spin_log_what_passes_through_it")
def a_setting_that_lets_the_runtime_log_everything(cluster):
    add(cluster, "v1", "ConfigMap", "runtime", data={"RUST_LOG": "info,tokio_postgres=trace"})


@refused_by("nothing_lets_spin_log_what_passes_through_it")
def a_node_whose_runtime_logs_everything(cluster):
    add(cluster, "v1", "ConfigMap", "node", data={"k3s.service.env": "RUST_LOG=debug\n"})


@refused_by("nothing_lets_spin_log_what_passes_through_it")
def a_level_of_the_log_that_a_secret_sets(cluster):
    container = database_of(cluster)["containers"][0]
    reference = {"secretKeyRef": {"name": "database-owner", "key": "password"}}
    container["env"] = [*container.get("env", []), {"name": "RUST_LOG", "valueFrom": reference}]


# --- network ---


@refused_by("policies_allow_the_paths_of_the_table_and_no_other")
def an_open_network_policy(cluster):
    cluster.one("NetworkPolicy", "traefik-reaches-the-application")["spec"]["ingress"] = [{}]


@refused_by("policies_allow_the_paths_of_the_table_and_no_other")
def a_policy_that_lets_the_gateway_in(cluster):
    policy = cluster.one("NetworkPolicy", "traefik-reaches-the-application")["spec"]
    policy["ingress"][0]["from"].append(
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openfaas"}}}
    )


@refused_by("policies_allow_the_paths_of_the_table_and_no_other")
def a_policy_of_two_peers_that_were_meant_to_be_one(cluster):
    """`from` with a namespace and, as a second entry, pods: all of that namespace, and those pods here."""
    policy = cluster.one("NetworkPolicy", "traefik-reaches-the-application")["spec"]
    [end] = policy["ingress"][0]["from"]
    policy["ingress"][0]["from"] = [{key: value} for key, value in end.items()]


@refused_by("policies_allow_the_paths_of_the_table_and_no_other")
def a_policy_for_a_wrong_port(cluster):
    cluster.one("NetworkPolicy", "traefik-reaches-the-application")["spec"]["ingress"][0]["ports"][0]["port"] = 8080


@refused_by("policies_allow_the_paths_of_the_table_and_no_other")
def a_policy_without_the_names_of_hosts(cluster):
    cluster.objects.remove(cluster.one("NetworkPolicy", "database-clients-resolve-names"))


@refused_by("every_namespace_denies_what_is_not_named", "policies_allow_the_paths_of_the_table_and_no_other")
def a_namespace_without_the_policy_that_denies_everything(cluster):
    cluster.objects.remove(cluster.one("NetworkPolicy", "deny-all"))


@refused_by("what_the_application_may_reach_is_the_database")
def a_host_that_is_not_the_databases(cluster):
    if not cluster.of("StatefulSet", "Cluster"):
        raise LookupError
    variable(cluster, "pg_host")["value"] = "database"


@refused_by("what_the_application_may_reach_is_the_database")
def a_standby_that_takes_no_writes(cluster):
    name = cluster.one("Cluster")["metadata"]["name"]
    variable(cluster, "pg_host")["value"] = f"{name}-ro.cofrap-identity.svc"


@refused_by("policies_let_the_application_out_to_the_port_of_its_database")
def a_managed_database_at_a_port_that_the_policies_close(cluster):
    if cluster.of("StatefulSet", "Cluster"):
        raise LookupError
    variable(cluster, "pg_port")["value"] = "25060"


# --- traffic ---


@refused_by("every_address_of_ours_leads_to_an_application")
def pages_that_lead_nowhere(cluster):
    for one in rules_of(cluster, "identity"):
        one["match"] += " && PathPrefix(`/api/`)"


@refused_by("every_function_leads_somewhere", "every_service_that_a_rule_names_has_that_port")
def functions_that_lead_nowhere(cluster):
    cluster.objects.remove(cluster.one("TraefikService", "functions"))


@refused_by("traffic_is_split_between_releases_of_ours_only", "every_answer_is_waited_for_with_a_bound")
def a_split_with_the_python_functions(cluster):
    split = cluster.one("TraefikService", "functions")["spec"]["weighted"]
    split["services"] = [
        {"name": "identity", "port": 80, "weight": 20},
        {"name": "gateway", "namespace": "openfaas", "port": 8080, "weight": 80},
    ]


@refused_by("the_three_functions_go_the_same_way")
def functions_that_go_two_ways(cluster):
    ways = rules_of(cluster, "functions")
    plain = next(way for way in ways if "Header" not in way["match"])
    where = {"namespace": "openfaas", "name": "gateway", "port": 8080}
    first = plain["match"].split(" && ")[0]
    ways.append(plain | {"services": [where], "match": f"{first} && Path(`/function/generate-2fa`)", "priority": 9999})


@refused_by("nothing_but_the_three_functions_leads_to_openfaas", "every_address_of_ours_leads_to_an_application")
def a_gateway_that_is_open(cluster):
    """Behind the rules of the three functions, and before all others."""
    ways = rules_of(cluster, "functions")
    host = ways[0]["match"].split(" && ")[0]
    where = {"namespace": "openfaas", "name": "gateway", "port": 8080}
    longest = max(len(one["match"]) for one in rules_of(cluster, "identity"))
    everything = ways[0] | {
        "services": [where],
        "match": f"{host} && PathPrefix(`/function/`)",
        "priority": longest + 1,
    }
    ways.append(everything)


def pages_of(cluster: Cluster) -> dict:
    return next(one for one in rules_of(cluster, "identity") if "PathPrefix(`/api/`)" not in one["match"])


@refused_by(
    "pages_api_and_functions_do_not_take_each_others_places",
    "what_others_serve_at_the_same_host_goes_on_being_theirs",
)
def pages_whose_rule_is_longer_than_that_of_the_api(cluster):
    del pages_of(cluster)["priority"]


@refused_by("what_others_serve_at_the_same_host_goes_on_being_theirs")
def pages_that_take_what_others_serve(cluster):
    api = next(one for one in rules_of(cluster, "identity") if one is not pages_of(cluster))
    pages_of(cluster)["priority"] = len(api["match"]) - 1


@refused_by("what_spin_says_about_itself_is_closed")
def a_rule_that_opens_what_spin_says_about_itself(cluster):
    for one in rules_of(cluster, "identity"):
        one["match"] = one["match"].replace(" && !PathPrefix(`/.well-known/spin`)", "")


@refused_by("plain_http_leads_to_https_and_nowhere_else")
def an_answer_without_tls(cluster):
    cluster.one("IngressRoute", "identity")["spec"]["entryPoints"] = ["web", "websecure"]


@refused_by("plain_http_leads_to_https_and_nowhere_else")
def a_rule_without_a_certificate(cluster):
    del cluster.one("IngressRoute", "functions")["spec"]["tls"]


@refused_by("links_lead_to_the_host_that_is_routed")
def links_without_tls(cluster):
    variable(cluster, "public_url")["value"] = variable(cluster, "public_url")["value"].replace("https", "http")


@refused_by("every_service_that_a_rule_names_has_that_port")
def a_rule_for_a_wrong_port(cluster):
    for one in rules_of(cluster, "identity"):
        one["services"][0]["port"] = 8080


def _drop(cluster: Cluster, name: str) -> None:
    for route in cluster.of("IngressRoute"):
        for one in route["spec"]["routes"]:
            one["middlewares"] = [step for step in one["middlewares"] if step["name"] != name]


@refused_by("services_of_other_namespaces_may_be_named")
def a_gateway_of_another_namespace_that_traefik_does_not_look_for(cluster):
    if not any("gateway" in str(item) for item in cluster.of("TraefikService")):
        raise LookupError
    cluster.objects.remove(cluster.one("HelmChartConfig", "traefik"))


@refused_by("every_public_rule_takes_spins_headers_out")
def a_rule_that_lets_spins_headers_in(cluster):
    _drop(cluster, cluster.one("Middleware", "without-spin-headers")["metadata"]["name"])


@refused_by("every_public_rule_takes_spins_headers_out")
def a_header_of_spin_that_is_forgotten(cluster):
    del cluster.one("Middleware", "without-spin-headers")["spec"]["headers"]["customRequestHeaders"]["spin-client-addr"]


@refused_by("every_public_rule_limits_the_body")
def a_body_limit_below_the_services_own(cluster):
    cluster.one("Middleware", "body-limit")["spec"]["buffering"]["maxRequestBodyBytes"] = 1024


@refused_by("every_public_rule_limits_the_body")
def a_rule_without_a_body_limit(cluster):
    _drop(cluster, cluster.one("Middleware", "body-limit")["metadata"]["name"])


@refused_by("every_public_rule_limits_the_rate_of_each_client")
def a_rate_that_all_clients_share(cluster):
    cluster.one("Middleware", "rate-limit")["spec"]["rateLimit"]["sourceCriterion"] = {"requestHost": True}


@refused_by(
    "no_more_requests_are_in_flight_than_there_are_connections",
    "the_memory_of_all_requests_that_are_let_in_fits_into_one_pod",
)
def more_requests_in_flight_than_connections(cluster):
    cluster.one("Middleware", "in-flight-limit")["spec"]["inFlightReq"]["amount"] = 64


@refused_by(
    "no_more_requests_are_in_flight_than_there_are_connections",
    "the_memory_of_all_requests_that_are_let_in_fits_into_one_pod",
)
def a_rule_without_a_limit_of_requests_in_flight(cluster):
    _drop(cluster, cluster.one("Middleware", "in-flight-limit")["metadata"]["name"])


@refused_by("the_memory_of_all_requests_that_are_let_in_fits_into_one_pod")
def pages_that_are_let_in_without_a_limit_beside_an_api_that_is_not(cluster):
    """They need no connection, but memory."""
    many = copy.deepcopy(cluster.one("Middleware", "in-flight-limit"))
    many["metadata"]["name"] = "in-flight-limit-of-pages"
    many["spec"]["inFlightReq"]["amount"] = 400
    cluster.objects.append(many)
    pages = next(one for one in rules_of(cluster, "identity") if "/api/" not in one["match"])
    names = [step["name"].replace("in-flight-limit", many["metadata"]["name"]) for step in pages["middlewares"]]
    pages["middlewares"] = [{"name": name} for name in names]


@refused_by("the_memory_of_all_requests_that_are_let_in_fits_into_one_pod")
def a_pod_with_too_little_memory_for_what_is_let_in(cluster):
    app_of(cluster)["spec"]["resources"]["limits"]["memory"] = "256Mi"


def _traefik_with(cluster: Cluster, values: str) -> None:
    app_of(cluster)
    cluster.one("IngressRoute", "identity")
    spec = cluster.one("HelmChartConfig", "traefik")["spec"]
    spec["valuesContent"] += f"\n{values}\n"


@refused_by("the_memory_of_all_requests_that_are_let_in_fits_into_one_pod")
def several_pods_of_traefik_each_of_which_lets_as_many_in(cluster):
    _traefik_with(cluster, "deployment: {replicas: 4}")


@refused_by("the_memory_of_all_requests_that_are_let_in_fits_into_one_pod")
def a_pod_of_traefik_on_every_node(cluster):
    _traefik_with(cluster, "deployment: {kind: DaemonSet}")


@refused_by("every_other_object_that_is_named_is_there")
def a_middleware_that_is_not_there(cluster):
    cluster.objects.remove(cluster.one("Middleware", "security-headers"))


@refused_by("every_answer_is_waited_for_with_a_bound")
def an_answer_that_is_waited_for_without_a_bound(cluster):
    cluster.one("ServersTransport", "identity")["spec"]["forwardingTimeouts"]["responseHeaderTimeout"] = "0s"


def _walk(cluster: Cluster, key: str) -> list[tuple[dict, dict]]:
    """The values of that key in PostgreSQL clusters, wherever they are."""
    return [
        (item, value)
        for item in cluster.of("Cluster")
        for path, value in walk(item["spec"])
        if path.rpartition(".")[2] == key and at({"x": value}, "x.key")
    ]
