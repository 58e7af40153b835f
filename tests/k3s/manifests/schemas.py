"""Validates objects as `kubectl --validate=strict` does: a field that the schema does not know is an error."""

import json
from functools import cache

import kubernetes_validate
from jsonschema import Draft202012Validator, ValidationError
from kubernetes_validate.utils import SchemaNotFoundError, schema_contents

from .places import CRDS
from .reading import documents

# The newest release that K3s has, and the oldest whose Traefik knows our manifests' API group.
KUBERNETES_VERSIONS = ("1.36", "1.32")

# K3s's own kinds, whose CRDs are in its binary: https://docs.k3s.io/helm
_K3S_KINDS = {
    ("helm.cattle.io/v1", "HelmChartConfig"): {
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"valuesContent": {"type": "string"}, "failurePolicy": {"enum": ["abort", "reinstall"]}},
                "additionalProperties": False,
            }
        },
    }
}


def complaint(item: dict) -> str | None:
    """What is wrong with an object's form; nothing, also when its CRD is not here (see `crds_are_here`)."""
    return _complaint(json.dumps(item, sort_keys=True, default=str))


def crds_are_here() -> bool:
    """Whether custom resources can be checked."""
    return CRDS.is_dir()


def is_custom(item: dict) -> bool:
    """Whether a CRD describes the object, and not Kubernetes itself."""
    group, _, _ = item["apiVersion"].rpartition("/")
    return "." in group and not group.endswith(".k8s.io")


@cache
def _complaint(text: str) -> str | None:
    item = json.loads(text)
    try:
        if is_custom(item):
            _validate_custom(item)
        else:
            for version in KUBERNETES_VERSIONS:
                _validate_own(item, version)
    except ValidationError as error:
        return f"{'.'.join(map(str, error.absolute_path))}: {_shortened(error)}"
    except SchemaNotFoundError as error:
        return error.message
    return None


def _shortened(error: ValidationError) -> str:
    # The message repeats the value, which may be the whole object.
    return error.message if len(error.message) < 300 else f"...{error.message[-300:]}"


def _validate_own(item: dict, version: str) -> None:
    group, _, api = item["apiVersion"].rpartition("/")
    # The validator looks schemas up by the first label of the group only.
    file = "-".join(filter(None, [item["kind"].lower(), group.split(".")[0], api]))
    try:
        schema = _schema(f"kubernetes-json-schema/v{version}.0-local-strict/{file}.json", version)
    except FileNotFoundError:
        raise SchemaNotFoundError(item["kind"], version, item["apiVersion"]) from None
    known = [(kind["group"], kind["version"]) for kind in schema["x-kubernetes-group-version-kind"]]
    if (group, api) not in known:
        raise SchemaNotFoundError(item["kind"], version, item["apiVersion"])
    kubernetes_validate.validate(item, version, strict=True)


# It would read the same megabytes again for each object.
_schema = kubernetes_validate.utils.schema_contents = cache(schema_contents)


def _validate_custom(item: dict) -> None:
    # A CRD leaves the metadata to Kubernetes: the same as any other object's.
    _validate_own({"apiVersion": "v1", "kind": "ConfigMap", "metadata": item["metadata"]}, KUBERNETES_VERSIONS[0])
    key = item["apiVersion"], item["kind"]
    if key in _K3S_KINDS:
        schema = _strict(_K3S_KINDS[key] | {"type": "object"}, top=True)
    elif not crds_are_here():
        return
    elif key in _custom_schemas():
        schema = _strict(_custom_schemas()[key], top=True)
    else:
        raise SchemaNotFoundError(item["kind"], f"any CRD of {CRDS.name}", item["apiVersion"])
    Draft202012Validator(schema).validate(item)


@cache
def _custom_schemas() -> dict[tuple[str, str], dict]:
    found = {}
    for file in sorted(CRDS.glob("*.yaml")):
        for crd in documents(file.read_text()):
            spec = crd["spec"]
            for version in spec["versions"]:
                if version["served"]:
                    key = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                    found[key] = version["schema"]["openAPIV3Schema"]
    return found


def _strict(schema: dict, top: bool = False) -> dict:
    """A structural schema as JSON Schema that refuses what Kubernetes would prune.

    https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
    """
    if schema.get("x-kubernetes-int-or-string"):
        kept = {key: value for key, value in schema.items() if key in ("pattern", "anyOf", "allOf")}
        return kept | {"type": ["integer", "string"]}
    made = {key: value for key, value in schema.items() if key not in ("properties", "items", "additionalProperties")}
    if schema.get("nullable"):
        made["type"] = [schema["type"], "null"]
    if "items" in schema:
        made["items"] = _strict(schema["items"])
    if "properties" in schema:
        made["properties"] = {name: _strict(value) for name, value in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = _strict(schema["additionalProperties"])
    elif "additionalProperties" in schema:
        made["additionalProperties"] = schema["additionalProperties"]
    elif schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made["additionalProperties"] = False
    if top:
        made["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {}}
    if schema.get("x-kubernetes-embedded-resource"):
        made["properties"] = made.get("properties", {}) | {"apiVersion": {}, "kind": {}, "metadata": {}}
    return made
