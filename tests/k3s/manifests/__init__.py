"""Checks of the Kubernetes manifests: what kustomize renders, read as the cluster and its operators would."""
