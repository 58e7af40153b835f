# Reads and writes the lock file of a release: sourced, not run. Needs terminal.sh.
# shellcheck shell=bash

LOCK_FILE=k3s/release/release.env

# The version of the workspace, which is that of a release.
workspace_version() { sed -nE '/^\[workspace\.package\]/,/^\[/ s/^version = "(.*)"$/\1/p' Cargo.toml; }

# locked NAME: the value in the lock file, whatever it is.
locked() { sed -n "s/^$1=//p" "$LOCK_FILE"; }

# lock NAME VALUE: writes the value of a name that is there already.
lock() {
    sed "s/^$1=.*/$1=$2/" "$LOCK_FILE" >"$LOCK_FILE.new"
    mv "$LOCK_FILE.new" "$LOCK_FILE"
    [ "$(locked "$1")" = "$2" ] || die "$LOCK_FILE has no line for $1."
    note "$1=$2 -> $LOCK_FILE"
}

# A release is made from a commit, so that its revision says what is in it. Only the lock file may differ: pushing writes it.
refuse_uncommitted() {
    [ -z "$(git status --porcelain -- . ":!$LOCK_FILE")" ] ||
        die "there are changes that are not committed: commit them, or put them away (git status shows them)."
}
