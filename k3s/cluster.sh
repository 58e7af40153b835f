# What the commands of this folder share: sourced, not run. Needs terminal.sh.
# shellcheck shell=bash

NAMESPACE=cofrap-identity

kube() { kubectl --namespace "$NAMESPACE" "$@"; }

# Sets OVERLAY to the folder that a name (of overlays/) or a path means.
find_overlay() {
    OVERLAY=$1
    [ -d "$OVERLAY" ] || OVERLAY=k3s/overlays/$1
    [ -e "$OVERLAY/kustomization.yaml" ] ||
        die "there is no overlay $1; there are: $(cd k3s/overlays && echo *)"
}

# exists KIND NAME: fails only where the cluster says so. A cluster that cannot be asked ends everything: what seems to
# be missing would be made again, a sealing key for one.
exists() {
    local found
    found=$(kube get "$1" "$2" --ignore-not-found --output=name) || die "the cluster cannot be asked for $1 $2."
    [ -n "$found" ]
}

# Sets RENDERED to a file that has the objects of OVERLAY, until this command ends.
render_release() {
    RENDERED=$(mktemp)
    trap 'rm -f "$RENDERED"' EXIT
    kubectl kustomize "$OVERLAY" >"$RENDERED"
    ! grep -qE '@sha256:0{64}$' "$RENDERED" ||
        die "k3s/release/release.env has no digests yet: take a release's, or fill it (docs/release.md)."
}

# apply_component NAME: those objects of $RENDERED whose label app.kubernetes.io/component is NAME. Prints their names.
apply_component() {
    grep -q "app.kubernetes.io/component: $1\$" "$RENDERED" || return 0
    kubectl apply --filename="$RENDERED" --selector="app.kubernetes.io/component=$1" --output=name
}

# Runs the migration of $RENDERED, and shows what it said.
migrate() {
    local job
    job=$(sed -n 's/^  name: \(migrate.*\)$/\1/p' "$RENDERED")
    [ -n "$job" ] || die "there is no migration in $OVERLAY."
    # A finished Job cannot be changed. (Without one there is nothing to wait for, also where `set -e` is off.)
    kube delete job "$job" --ignore-not-found --wait || return
    apply_component migration || return
    wait_for_job "$job"
}

# wait_for_job NAME: until it is complete, or has failed for good. Shows what it said either way.
wait_for_job() {
    local state=
    until [ -n "$state" ]; do
        sleep 2
        state=$(kube get job "$1" --output='jsonpath={.status.conditions[?(@.status=="True")].type}')
        case $state in *Complete* | *Failed*) ;; *) state= ;; esac
    done
    # A job that took too long has no pods any more, and a container that never began has no log.
    { kube logs "job/$1" --all-containers --prefix=false --ignore-errors || true; } | sed 's/^/    /'
    case $state in *Failed*) die "the job $1 failed: kubectl -n $NAMESPACE describe job $1" ;; esac
}

# New pods of every release that runs: they read secrets when they start, and never again.
restart_application() {
    local name
    for name in identity identity-next; do
        exists deployment "$name" || continue
        kube rollout restart "deployment/$name"
        kube rollout status "deployment/$name" --timeout=10m
    done
}

# Sets SERVER to the pod of the database, or of its primary.
find_server() {
    SERVER=database-0
    exists pod "$SERVER" && return
    SERVER=$(kube get pod --selector=cnpg.io/cluster=identity-database,cnpg.io/instanceRole=primary --output=name)
    [ -n "$SERVER" ] || die "this namespace has no PostgreSQL. For a managed one, the head of this command says what to do."
}

# superuser: psql of standard input, as the one who gets in from inside the container only. Needs find_server.
superuser() {
    kube exec --stdin "$SERVER" --container=postgres -- \
        psql --username=postgres --no-psqlrc --set=ON_ERROR_STOP=1 --quiet --output=/dev/null
}
