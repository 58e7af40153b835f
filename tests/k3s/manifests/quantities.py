"""Kubernetes' quantities: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""

import re

_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def amount_of_bytes(quantity: str | int) -> int:
    """A quantity in bytes."""
    parts = re.fullmatch(r"(\d+)([kMG]i?|Ki)?", str(quantity))
    if not parts or (parts[2] or "") not in _FACTORS:
        raise ValueError(f"{quantity!r} is no whole number of bytes")
    return int(parts[1]) * _FACTORS[parts[2] or ""]
