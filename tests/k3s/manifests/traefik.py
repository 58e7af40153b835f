"""Where Traefik sends a request: the rules of its IngressRoutes.

https://doc.traefik.io/traefik/routing/routers/
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .cluster import Cluster, namespace_of


@dataclass(frozen=True)
class Request:
    """What a rule looks at."""

    host: str
    path: str
    entry_point: str = "websecure"
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """One rule of an IngressRoute."""

    owner: dict
    content: dict

    @property
    def priority(self) -> int:
        """The longer rule wins, unless it says its priority."""
        return self.content.get("priority") or len(self.content["match"])

    def takes(self, request: Request) -> bool:
        """Whether the rule matches."""
        points = self.owner["spec"].get("entryPoints")
        return (not points or request.entry_point in points) and matcher(self.content["match"])(request)

    def __str__(self) -> str:
        return f"{self.owner['metadata']['name']}: {self.content['match']}"


def rules(cluster: Cluster) -> list[Rule]:
    """Every rule of every IngressRoute."""
    return [Rule(route, content) for route in cluster.of("IngressRoute") for content in route["spec"]["routes"]]


def rule_for(cluster: Cluster, request: Request) -> Rule | None:
    """The rule that takes a request; none means Traefik's own 404."""
    return max((rule for rule in rules(cluster) if rule.takes(request)), key=lambda rule: rule.priority, default=None)


def backends(cluster: Cluster, rule: Rule) -> dict[tuple[str, str, int | str], int]:
    """What a rule leads to, and in which shares: (namespace, Service, port) -> weight. Only what has a share."""
    found: dict[tuple[str, str, int | str], int] = {}
    for service, share in _leaves(cluster, rule.content.get("services", []), namespace_of(rule.owner)):
        found[service] = found.get(service, 0) + share
    return {service: share for service, share in found.items() if share > 0}


def _leaves(
    cluster: Cluster, services: list[dict], namespace: str, share: int = 1
) -> Iterator[tuple[tuple[str, str, int | str], int]]:
    for service in services:
        weight = share * service.get("weight", 1)
        where = service.get("namespace", namespace)
        if service["name"].endswith("@internal"):
            continue
        if service.get("kind") == "TraefikService":
            split = cluster.get("TraefikService", service["name"], where)
            if split is None:
                yield (where, service["name"], "TraefikService"), weight
                continue
            yield from _leaves(cluster, split["spec"]["weighted"]["services"], where, weight)
        else:
            yield (where, service["name"], service.get("port", 0)), weight


def middlewares(cluster: Cluster, rule: Rule) -> list[dict]:
    """The middlewares that a rule goes through, in their order, chains resolved, without those that are not there."""
    return list(_resolved(cluster, rule.content.get("middlewares", []), namespace_of(rule.owner)))


def _resolved(cluster: Cluster, names: list[dict], namespace: str) -> Iterator[dict]:
    for name in names:
        where = name.get("namespace", namespace)
        found = cluster.get("Middleware", name["name"], where)
        if found is None:
            continue
        if "chain" in found["spec"]:
            yield from _resolved(cluster, found["spec"]["chain"]["middlewares"], where)
        else:
            yield found


# --- the language of rules ---

_TOKEN = re.compile(r"\s*(&&|\|\||!|\(|\)|,|`[^`]*`|[A-Za-z]+)")
_MATCHERS: dict[str, Callable] = {
    "Host": lambda request, *hosts: request.host in hosts,
    "Path": lambda request, path: request.path == path,
    "PathPrefix": lambda request, prefix: request.path.startswith(prefix),
    "PathRegexp": lambda request, expression: re.search(expression, request.path) is not None,
    "Method": lambda request, method: request.method == method,
    "Header": lambda request, name, value: request.headers.get(name.lower()) == value,
}


def matcher(text: str) -> Callable[[Request], bool]:
    """A rule as a function. Raises ValueError for one that is not of the language."""
    tokens, position = [], 0
    while position < len(text.rstrip()):
        token = _TOKEN.match(text, position)
        if not token:
            raise ValueError(f"cannot read the rule from {text[position:]!r} on")
        tokens.append(token[1])
        position = token.end()
    found = _either(tokens)
    if tokens:
        raise ValueError(f"{text!r} goes on with {tokens[0]!r}")
    return found


def _take(tokens: list[str], wanted: str | None = None) -> str:
    if not tokens or (wanted and tokens[0] != wanted):
        raise ValueError(f"expected {wanted or 'more'}, not {tokens[:1]}")
    return tokens.pop(0)


def _text(tokens: list[str]) -> str:
    token = _take(tokens)
    if not token.startswith("`"):
        raise ValueError(f"{token!r} is no text")
    return token.strip("`")


def _either(tokens: list[str]) -> Callable[[Request], bool]:
    parts = [_both(tokens)]
    while tokens[:1] == ["||"]:
        tokens.pop(0)
        parts.append(_both(tokens))
    return lambda request: any(part(request) for part in parts)


def _both(tokens: list[str]) -> Callable[[Request], bool]:
    parts = [_single(tokens)]
    while tokens[:1] == ["&&"]:
        tokens.pop(0)
        parts.append(_single(tokens))
    return lambda request: all(part(request) for part in parts)


def _single(tokens: list[str]) -> Callable[[Request], bool]:
    token = _take(tokens)
    if token == "!":
        negated = _single(tokens)
        return lambda request: not negated(request)
    if token == "(":
        inner = _either(tokens)
        _take(tokens, ")")
        return inner
    if token not in _MATCHERS:
        raise ValueError(f"unknown matcher {token!r}")
    _take(tokens, "(")
    values = [_text(tokens)]
    while tokens[:1] == [","]:
        tokens.pop(0)
        values.append(_text(tokens))
    _take(tokens, ")")
    return lambda request: _MATCHERS[token](request, *values)
