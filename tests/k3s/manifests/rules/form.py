"""What every object has to be, whatever it is for."""

from collections import Counter
from collections.abc import Iterator

from .. import schemas
from ..cluster import Cluster, name_of, namespace_of
from . import rule

# Kubernetes' and K3s's own kinds without a namespace, and those of the CRDs.
_CLUSTER_WIDE = {"Namespace", "RuntimeClass", "ClusterRole", "ClusterRoleBinding", "PersistentVolume", "Shim"}
# What has to stand beside something that is not ours.
_ELSEWHERE = {"HelmChartConfig": "kube-system"}


@rule
def every_object_of_kubernetes_fits_its_schema(cluster: Cluster) -> Iterator[str]:
    for item in cluster.objects:
        if not schemas.is_custom(item) and (wrong := schemas.complaint(item)):
            yield f"{name_of(item)}: {wrong}"


@rule
def every_custom_resource_fits_its_definition(cluster: Cluster) -> Iterator[str]:
    for item in cluster.objects:
        if schemas.is_custom(item) and (wrong := schemas.complaint(item)):
            yield f"{name_of(item)}: {wrong}"


@rule
def every_object_stands_once(cluster: Cluster) -> Iterator[str]:
    seen = Counter((item["apiVersion"], item["kind"], namespace_of(item), name_of(item)) for item in cluster.objects)
    for (_, _, namespace, name), times in seen.items():
        if times > 1:
            yield f"{name} of {namespace} stands {times} times"


@rule
def every_object_is_in_a_namespace_that_the_overlay_makes(cluster: Cluster) -> Iterator[str]:
    for item in cluster.objects:
        namespace = namespace_of(item)
        if item["kind"] in _CLUSTER_WIDE:
            if namespace:
                yield f"{name_of(item)} belongs to no namespace, but names {namespace}"
        elif namespace not in cluster.namespaces and namespace != _ELSEWHERE.get(item["kind"], "-"):
            yield f"{name_of(item)} is in {namespace}"
