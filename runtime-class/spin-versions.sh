# Which versions of Spin serve this application, said once for all: sourced, not run. `make up` asks about the `spin` in
# PATH, `make release-check` and install-shim about the Spin that the locked shim carries.
# shellcheck shell=bash
#
#   3.6.x            seen: the contract, the races and the crashes ran on 3.6.3
#   4.0.0 to 4.0.2   refused: a synchronous query of outbound PostgreSQL can hang there, and its request with it
#                    (https://github.com/spinframework/spin/issues/3671, mended upstream after 4.0.2)
#   before 3.6       refused
#   any other        never seen: `make up` serves with it and says so; no shim that carries it is installed

# spin_verdict VERSION: `seen`, or `unseen: ` or `refused: ` and why.
spin_verdict() {
    case $1 in
    3.6.*) echo seen ;;
    4.0.[0-2]) echo "refused: queries of PostgreSQL can hang in Spin 4.0.0 to 4.0.2 (upstream issue 3671)" ;;
    [0-2].*.* | 3.[0-5].*) echo "refused: it is older than 3.6" ;;
    [0-9]*.*.*) echo "unseen: this project never ran on it" ;;
    *) echo "refused: it does not say which version it is" ;;
    esac
}

# shim_verdict VERSION: the same of a release of containerd-shim-spin, by the Spin in the Cargo.toml of its tag.
shim_verdict() {
    case $1 in
    v0.23.0) spin_verdict 3.6.2 ;;
    v0.24.0) spin_verdict 3.6.3 ;;
    *) echo "refused: which Spin it carries is not written in runtime-class/spin-versions.sh" ;;
    esac
}
