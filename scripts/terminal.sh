# What every script here says, and how: sourced, not run.
# shellcheck shell=bash

# The folders of tools that a login shell would have; make and CI may come without them.
export PATH="$PATH:${HOME:-}/.cargo/bin:/usr/sbin:/sbin"

say() { printf '==> %s\n' "$*"; }

note() { printf '    %s\n' "$*"; }

die() {
    printf '\nError: %s\n' "$*" >&2
    exit 1
}
