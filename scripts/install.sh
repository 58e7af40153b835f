# Installs Debian's packages, or says what to install: sourced, not run. Needs terminal.sh.
# shellcheck shell=bash

has_apt() { [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

# As root, or through sudo; never asks for a password where nobody can type one.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo "$@"
    else
        die "'$*' has to run as root: run it yourself, or give this user sudo."
    fi
}

# install_packages WHAT PACKAGE...: WHAT is what is missing, for people.
install_packages() {
    local what=$1
    shift
    has_apt || die "$what is missing, and this is not Debian. Install what Debian calls: $*"
    say "$what is missing: apt-get install $*"
    if [ -z "${APT_UPDATED:-}" ]; then
        as_root apt-get update -qq
        APT_UPDATED=yes
    fi
    # Variables are given through env, because sudo drops them.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@" </dev/null ||
        die "$what could not be installed (apt-get install $*)."
}

# rustup_add KIND NAME: a component or target of the toolchain in use; fails where rustup cannot fetch it.
rustup_add() {
    command -v rustup >/dev/null || return 1
    say "rustup $1 add $2"
    timeout 300 rustup "$1" add "$2"
}
