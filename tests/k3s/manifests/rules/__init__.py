"""The rules: each takes a Cluster and yields what is wrong in it, in words. Its name is what has to be true."""

from collections.abc import Callable, Iterator

from ..cluster import Cluster

Rule = Callable[[Cluster], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Makes a function one of the rules."""
    RULES[function.__name__] = function
    return function


from . import database, form, images, network, references, scaling, security, traffic, variables  # noqa: E402

__all__ = [
    "RULES",
    "database",
    "form",
    "images",
    "network",
    "references",
    "scaling",
    "security",
    "traffic",
    "variables",
]
