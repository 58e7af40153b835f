# Builds and pushes with the container engine that is there: sourced, not run. Needs terminal.sh.
# shellcheck shell=bash

# Sets ENGINE; the first that is there, or the one that ENGINE names.
find_engine() {
    local candidate
    for candidate in ${ENGINE:-podman buildah docker}; do
        ENGINE=$candidate
        # The client of docker may be there without its server.
        if command -v "$ENGINE" >/dev/null && "$ENGINE" version >/dev/null 2>&1; then return; fi
    done
    die "the image of the jobs needs podman, buildah or docker, and none of them works here."
}

# engine_push REFERENCE: prints the digest that the registry gave it, and nothing else, on stdout.
engine_push() {
    local digest
    case $ENGINE in
    docker) digest=$(docker push "$1" | tee /dev/stderr | sed -nE 's/^.*digest: (sha256:[0-9a-f]{64}) .*/\1/p') ;;
    *) "$ENGINE" push --digestfile target/image/pushed "$1" >&2 && digest=$(cat target/image/pushed) ;;
    esac || die "$ENGINE did not push."
    the_digest "$ENGINE" "$digest"
}

# the_digest PROGRAM TEXT: prints TEXT, if it is one digest.
the_digest() {
    [[ $2 =~ ^sha256:[0-9a-f]{64}$ ]] || die "$1 did not say one digest: $2"
    echo "$2"
}
