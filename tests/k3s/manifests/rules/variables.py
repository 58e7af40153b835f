"""The settings of the application: spin.toml against what a SpinApp sets."""

import tomllib
from collections.abc import Iterator

from ..cluster import SPIN_APP, Cluster, at, name_of, namespace_of
from ..places import SPIN_MANIFEST
from . import rule


def variables() -> dict[str, dict]:
    """The variables of spin.toml."""
    return tomllib.loads(SPIN_MANIFEST.read_text())["variables"]


def value_of(app: dict, name: str) -> str | None:
    """The value that a SpinApp gives a variable in the clear."""
    return next((item.get("value") for item in app["spec"].get("variables", []) if item["name"] == name), None)


@rule
def every_application_sets_what_spin_toml_requires(cluster: Cluster) -> Iterator[str]:
    for app in cluster.of(SPIN_APP):
        given = [item["name"] for item in app["spec"].get("variables", [])]
        for name, declared in variables().items():
            if declared.get("required") and name not in given:
                yield f"{name_of(app)} does not set {name}"
        for name in given:
            if given.count(name) > 1:
                yield f"{name_of(app)} sets {name} twice"


@rule
def no_application_sets_what_spin_toml_does_not_know(cluster: Cluster) -> Iterator[str]:
    for app in cluster.of(SPIN_APP):
        for item in app["spec"].get("variables", []):
            if item["name"] not in variables():
                yield f"{name_of(app)} sets {item['name']}"


@rule
def what_is_secret_comes_from_a_secret(cluster: Cluster) -> Iterator[str]:
    for app in cluster.of(SPIN_APP):
        for item in app["spec"].get("variables", []):
            secret = variables().get(item["name"], {}).get("secret", False)
            if secret != (at(item, "valueFrom.secretKeyRef") is not None):
                yield f"{name_of(app)}: {item['name']} has to be {'a secret' if secret else 'in the clear'}"


@rule
def no_service_link_shadows_a_variable(cluster: Cluster) -> Iterator[str]:
    """The shim takes PG_PORT for the variable `pg_port`, and a Service `pg` puts it into every pod of its namespace.

    https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    taken = {name.upper() for name in variables()} | {f"SPIN_VARIABLE_{name.upper()}" for name in variables()}
    for app in cluster.of(SPIN_APP):
        for service in cluster.services:
            if namespace_of(service) == namespace_of(app):
                for name in sorted(taken & set(_links(service))):
                    yield f"Service {service['metadata']['name']} sets {name} in the pods of {name_of(app)}"


def _links(service: dict) -> Iterator[str]:
    prefix = service["metadata"]["name"].upper().replace("-", "_")
    yield from (f"{prefix}_SERVICE_HOST", f"{prefix}_SERVICE_PORT", f"{prefix}_PORT")
    for port in service["spec"].get("ports", []):
        if "name" in port:
            yield f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"
        link = f"{prefix}_PORT_{port['port']}_{port.get('protocol', 'TCP')}"
        yield from (link, f"{link}_PROTO", f"{link}_PORT", f"{link}_ADDR")
