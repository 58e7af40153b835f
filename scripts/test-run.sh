# What every run of tests begins and ends with: sourced, not run. Needs terminal.sh, install.sh and test-tools.sh.
# shellcheck shell=bash

DATABASE=.run/test-postgres
# One set of packages per folder of build results, always named together: Cargo chooses the features of shared
# dependencies by it, and would compile them again for another set.
#   target/                 the native programs, as `make up` runs them
#   target/llvm-cov-target  everything that is measured, or only tests
PROGRAMS=(--package identity-ops --package host)
MEASURED=(--package domain --package journey --package edge --package fileserver --package harness --package http-tests --package attack --package faults --package browser-tests --package tidy --package sql-mutants)

# One run at a time in a checkout: they would share a PostgreSQL.
mkdir -p .run
exec 9>.run/test.lock
if command -v flock >/dev/null; then flock -n 9 || die "other tests run in this checkout."; fi

SUMMARY=
PHASE=
finish() {
    local status=$?
    trap '' INT TERM
    scripts/postgres stop "$DATABASE" || true
    # Those that a test starts are its own, and gone with it, unless it was killed.
    local server
    for server in .run/faults/* "${CARGO_TARGET_DIR:-$PWD/target}"/tmp/owners-tool-*; do
        [ ! -d "$server" ] || scripts/postgres reset "$server" || true
    done
    [ -z "$PHASE" ] || SUMMARY+=$(printf '%6ds  %s' $((SECONDS - BEGUN)) "$PHASE  <- FAILED")$'\n'
    printf '\n%s%6ds  in all\n' "$SUMMARY" "$SECONDS"
    if [ "$status" -eq 0 ]; then say "All checks passed."; else echo "FAILED: ${PHASE:-interrupted}" >&2; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

# phase NAME COMMAND...
phase() {
    PHASE=$1 BEGUN=$SECONDS
    shift
    printf '\n=== %s ===\n' "$PHASE"
    "$@"
    SUMMARY+=$(printf '%6ds  %s' $((SECONDS - BEGUN)) "$PHASE")$'\n'
    PHASE=
}

programs() {
    cargo build --locked "${PROGRAMS[@]}" --bins
    local built=${CARGO_TARGET_DIR:-$PWD/target}/debug
    export COFRAP_HOST=$built/host COFRAP_OPS=$built/identity-ops
}

database() {
    scripts/postgres stop "$DATABASE"
    # A server that outlives this run must not keep its lock.
    scripts/postgres start "$DATABASE" --for-tests 9>&-
    TEST_DATABASE_URL=$(scripts/postgres url "$DATABASE")
    export TEST_DATABASE_URL
}

browser() {
    need_browser
    need_npm_packages tests/browser
}

# measured TARGETS...: every failure is shown, not the first only.
measured() { cargo llvm-cov test --no-report --no-fail-fast --locked "${MEASURED[@]}" "$@"; }
