"""What comes in from outside, and through what."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from urllib.parse import urlsplit

from ..cluster import SPIN_APP, Cluster, at, name_of, namespace_of
from ..quantities import amount_of_bytes
from ..reading import documents
from ..traefik import Request, Rule, backends, middlewares, rule_for, rules
from . import rule
from .database import POOL
from .variables import value_of

# Memory of Spin 3.6.3 with this application, which gives nothing back: resident before the first request (78 MB on
# a cluster); of one instance of a component (1.4 MiB at the most were seen); and how many instances' memories wasmtime
# keeps beside those in use. 128 requests at once, of each kind in turn and again and again, came to 349 MiB.
IDLE = 80 * 2**20
INSTANCE = 3 * 2**19
KEPT_INSTANCES = 100
# The readiness probe asks a component, past the ingress.
_PROBES = 1
FUNCTIONS = ("generate-password", "generate-2fa", "authenticate-user")
GATEWAY = "gateway"
OUR_APPLICATIONS = ("identity", "identity-next")
# What Spin 3.6 adds to a request, behind what the client sent under the same name.
SPIN_HEADERS = {
    "spin-full-url",
    "spin-path-info",
    "spin-matched-route",
    "spin-component-route",
    "spin-raw-component-route",
    "spin-base-path",
    "spin-client-addr",
}
# The service refuses more than this with an answer of its own; the ingress has to leave it some room to do so.
BODY_LIMIT = 4096
_CLOSED = ("/.well-known/spin/info", "/.well-known/spin/health", "/.well-known/spin")
# Of OpenFaaS's gateway, as its documentation lists them; and what is nearly one of the three.
_NEVER_TO_THE_GATEWAY = (
    "/",
    "/system/functions",
    "/system/info",
    "/system/secrets",
    "/system/scale-function/authenticate-user",
    "/async-function/authenticate-user",
    "/function/other",
    "/function/",
    "/function/authenticate-user/",
    "/function/authenticate-user/x",
    "/function/authenticate-user.openfaas-fn",
    "/ui/",
    "/metrics",
    "/healthz",
    "/api/login",
    "/%2fsystem/functions",
)
_OURS = ("/", "/api/password", "/api/login", "/api/health", "/assets/style.css", "/reveal", "/function/other")


def host(cluster: Cluster) -> str | None:
    """The host that people type."""
    for app in cluster.of(SPIN_APP):
        return urlsplit(value_of(app, "public_url") or "").hostname
    return None


def _asked(cluster: Cluster, path: str, **more) -> tuple[Rule | None, set[str]]:
    """The rule that takes a request for our host, and the names of the Services that it leads to."""
    found = rule_for(cluster, Request(host(cluster) or "", path, **more))
    return found, {name for _, name, _ in backends(cluster, found)} if found else set()


def _public(cluster: Cluster) -> list[Rule]:
    """The rules that lead somewhere."""
    return [one for one in rules(cluster) if backends(cluster, one)]


@rule
def every_address_of_ours_leads_to_an_application(cluster: Cluster) -> Iterator[str]:
    if not cluster.of("IngressRoute"):
        return
    for path in _OURS:
        _, names = _asked(cluster, path)
        if not names or not names <= set(OUR_APPLICATIONS):
            yield f"{path} leads to {' and '.join(sorted(names)) or 'nothing'}"


@rule
def every_function_leads_somewhere(cluster: Cluster) -> Iterator[str]:
    if not cluster.of("IngressRoute"):
        return
    for name in FUNCTIONS:
        for headers in ({}, {"x-identity-canary": "yes"}):
            _, names = _asked(cluster, f"/function/{name}", headers=headers)
            if not names or not names <= {*OUR_APPLICATIONS, GATEWAY}:
                yield f"/function/{name} leads to {' and '.join(sorted(names)) or 'nothing'}"


@rule
def pages_api_and_functions_do_not_take_each_others_places(cluster: Cluster) -> Iterator[str]:
    """Traefik counts what is in flight for each rule apart, so each kind of request needs one of its own."""
    kinds = {
        "pages": _asked(cluster, "/"),
        "the API": _asked(cluster, "/api/login"),
        "functions": _asked(cluster, "/function/authenticate-user"),
        "the canary": _asked(cluster, "/function/authenticate-user", headers={"x-identity-canary": "yes"}),
    }
    for (one, (first, _)), (other, (second, _)) in combinations(kinds.items(), 2):
        if first is not None and first == second:
            yield f"{one} and {other} are taken by {first}"


@rule
def what_others_serve_at_the_same_host_goes_on_being_theirs(cluster: Cluster) -> Iterator[str]:
    """Our pages take what is left over: a rule of somebody else for the host and some path has the longer text."""
    pages, _ = _asked(cluster, "/")
    theirs = len(f"Host(`{host(cluster)}`) && PathPrefix(`/a`)")
    if pages is not None and pages.priority >= theirs:
        yield f"{pages} has priority {pages.priority}, their rule might have {theirs}"


@rule
def traffic_is_split_between_releases_of_ours_only(cluster: Cluster) -> Iterator[str]:
    """The Python functions do not know our credentials: to them all requests are switched, or none."""
    for one in _public(cluster):
        names = {name for _, name, _ in backends(cluster, one)}
        if GATEWAY in names and len(names) > 1:
            yield f"{one} splits between {' and '.join(sorted(names))}"


@rule
def the_three_functions_go_the_same_way(cluster: Cluster) -> Iterator[str]:
    """Whose password one runtime made, that runtime has to check."""
    for headers in ({}, {"x-identity-canary": "yes"}):
        ways = {tuple(sorted(_asked(cluster, f"/function/{name}", headers=headers)[1])) for name in FUNCTIONS}
        if len(ways) > 1:
            yield f"they go {' and '.join(map(str, sorted(ways)))}"


@rule
def nothing_but_the_three_functions_leads_to_openfaas(cluster: Cluster) -> Iterator[str]:
    for path in _NEVER_TO_THE_GATEWAY:
        for method in ("GET", "POST", "DELETE"):
            for headers in ({}, {"x-identity-canary": "yes"}):
                if GATEWAY in _asked(cluster, path, method=method, headers=headers)[1]:
                    yield f"{method} {path} does"
    for one in _public(cluster):
        if GATEWAY in {name for _, name, _ in backends(cluster, one)} and "Path(" not in one.content["match"]:
            yield f"{one} does, with whatever it matches"


@rule
def what_spin_says_about_itself_is_closed(cluster: Cluster) -> Iterator[str]:
    for path in _CLOSED:
        for method in ("GET", "POST"):
            if _asked(cluster, path, method=method)[1]:
                yield f"{method} {path} is answered"


@rule
def plain_http_leads_to_https_and_nowhere_else(cluster: Cluster) -> Iterator[str]:
    for one in rules(cluster):
        points = one.owner["spec"].get("entryPoints", [])
        if points == ["websecure"]:
            if not at(one.owner, "spec.tls.secretName"):
                yield f"{one} has no certificate"
        elif points != ["web"]:
            yield f"{one} does not say which entry point it is for"
        elif backends(cluster, one) or not any("redirectScheme" in step["spec"] for step in middlewares(cluster, one)):
            yield f"{one} answers without TLS"


@rule
def links_lead_to_the_host_that_is_routed(cluster: Cluster) -> Iterator[str]:
    if not cluster.of("IngressRoute"):
        return
    for app in cluster.of(SPIN_APP):
        url = urlsplit(value_of(app, "public_url") or "")
        if url.scheme != "https" or url.path or not url.hostname:
            yield f"{name_of(app)}: public_url is no origin with https"
    for one in rules(cluster):
        if f"Host(`{host(cluster)}`)" not in one.content["match"]:
            yield f"{one} is not for {host(cluster)}"


@rule
def every_service_that_a_rule_names_has_that_port(cluster: Cluster) -> Iterator[str]:
    # OpenFaaS is not ours: its gateway is a Service of its own namespace, on port 8080.
    there = {("openfaas", GATEWAY): {8080}}
    for service in cluster.services:
        key = service["metadata"]["namespace"], service["metadata"]["name"]
        there[key] = {port.get("name") for port in service["spec"]["ports"]} | {
            port["port"] for port in service["spec"]["ports"]
        }
    for one in rules(cluster):
        for namespace, name, port in backends(cluster, one):
            if (namespace, name) not in there:
                yield f"{one} leads to a Service {name} of {namespace}, which is not there"
            elif port not in there[namespace, name]:
                yield f"{one} leads to port {port} of {name}, which has none such"


@rule
def services_of_other_namespaces_may_be_named(cluster: Cluster) -> Iterator[str]:
    """Traefik takes no reference across namespaces unless it is told to, for the whole cluster."""
    config = cluster.get("HelmChartConfig", "traefik", "kube-system")
    [values] = documents(at(config, "spec.valuesContent", "{}")) or [{}]
    if at(values, "providers.kubernetesCRD.allowCrossNamespace") is True:
        return
    for one in _public(cluster):
        for namespace, name, _ in backends(cluster, one):
            if namespace != namespace_of(one.owner):
                yield f"{one} names {name} of {namespace}"


@rule
def every_public_rule_takes_spins_headers_out(cluster: Cluster) -> Iterator[str]:
    for one in _public(cluster):
        taken = {
            name.lower()
            for step in middlewares(cluster, one)
            for name, value in at(step, "spec.headers.customRequestHeaders", {}).items()
            if value == ""
        }
        if missing := SPIN_HEADERS - taken:
            yield f"{one} lets {', '.join(sorted(missing))} in"


@rule
def every_public_rule_limits_the_body(cluster: Cluster) -> Iterator[str]:
    for one in _public(cluster):
        limits = [at(step, "spec.buffering.maxRequestBodyBytes") for step in middlewares(cluster, one)]
        limit = next(filter(None, limits), None)
        if limit is None or not BODY_LIMIT < amount_of_bytes(limit) <= 16 * BODY_LIMIT:
            yield f"{one} lets bodies of {limit or 'any number of'} bytes in"


@rule
def every_public_rule_limits_the_rate_of_each_client(cluster: Cluster) -> Iterator[str]:
    for one in _public(cluster):
        limits = [at(step, "spec.rateLimit") for step in middlewares(cluster, one)]
        if not any(
            limit and limit.get("average") and "ipStrategy" in limit.get("sourceCriterion", {}) for limit in limits
        ):
            yield f"{one} has no limit for one address"


@rule
def no_more_requests_are_in_flight_than_there_are_connections(cluster: Cluster) -> Iterator[str]:
    """Who waits for a connection of a pool waits without a bound. Traefik counts for each rule apart, and one of two
    releases that is slow may collect all that a rule lets in."""
    in_flight: Counter[str] = Counter()
    for one in _public(cluster):
        amounts = [at(step, "spec.inFlightReq") for step in middlewares(cluster, one)]
        amount = next(filter(None, amounts), None)
        if amount is None:
            yield f"{one} has no limit"
        elif not at(amount, "sourceCriterion.requestHost"):
            yield f"{one} limits each client alone"
        elif _reaches_the_database(cluster, one):
            in_flight.update({name: amount["amount"] for _, name, _ in backends(cluster, one)})
    for app in cluster.of(SPIN_APP):
        requests, least = in_flight[app["metadata"]["name"]], cluster.least_pods(app)
        if requests > POOL * least:
            yield f"up to {requests} for the {least} pods of {name_of(app)}, which have {POOL} connections each"


@rule
def the_memory_of_all_requests_that_are_let_in_fits_into_one_pod(cluster: Cluster) -> Iterator[str]:
    """Pages and API together, since each request is an instance; into one, which may be all that is ready. Each pod of
    Traefik counts for itself.
    """
    config = cluster.get("HelmChartConfig", "traefik", "kube-system")
    [values] = documents(at(config, "spec.valuesContent", "{}")) or [{}]
    if at(values, "deployment.kind", "Deployment") != "Deployment" or at(values, "autoscaling.enabled", False):
        yield "how many pods of Traefik let requests in is not bounded"
    let_in: Counter[str] = Counter()
    for one in _public(cluster):
        limits = [at(step, "spec.inFlightReq.amount") for step in middlewares(cluster, one)]
        limit = min(filter(None, limits), default=None)
        if limit is None:
            yield f"{one} lets any number in"
            continue
        let_in.update({name: limit * at(values, "deployment.replicas", 1) for _, name, _ in backends(cluster, one)})
    for app in cluster.of(SPIN_APP):
        instances = let_in[app["metadata"]["name"]] + _PROBES
        needed = IDLE + (instances + KEPT_INSTANCES) * INSTANCE
        # Without one, another rule refuses it.
        limit = at(app, "spec.resources.limits.memory", "1000Gi")
        if needed > amount_of_bytes(limit):
            yield f"{name_of(app)}: {instances} requests at once need {needed // 2**20} MiB, but a pod has {limit}"


@rule
def every_answer_is_waited_for_with_a_bound(cluster: Cluster) -> Iterator[str]:
    """A guest on Spin has no timeout; it has to be longer than the role's statement_timeout of 5 s."""
    for route in cluster.of("IngressRoute", "TraefikService"):
        services = at(route, "spec.weighted.services", []) or [
            service for one in route["spec"].get("routes", []) for service in one.get("services", [])
        ]
        for service in services:
            if service["name"] not in OUR_APPLICATIONS or service.get("kind") == "TraefikService":
                continue
            transport = cluster.get("ServersTransport", service.get("serversTransport", ""))
            bound = at(transport, "spec.forwardingTimeouts.responseHeaderTimeout", "0s")
            if not 5 < int(str(bound).removesuffix("s")) <= 60:
                yield f"{name_of(route)} waits {bound} for {service['name']}"


def _reaches_the_database(cluster: Cluster, one: Rule) -> bool:
    """Whether a rule takes requests that a component answers, and not the fileserver."""
    paths = ["/api/login", *(f"/function/{name}" for name in FUNCTIONS)]
    return any(
        rule_for(cluster, Request(host(cluster) or "", path, headers=headers)) == one
        for path in paths
        for headers in ({}, {"x-identity-canary": "yes"})
    )
