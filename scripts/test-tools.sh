# Finds, or installs, what only the tests need: sourced, not run. Needs terminal.sh and install.sh.
# shellcheck shell=bash

LLVM_COV_VERSION=0.9.1
MUTANTS_VERSION=27.1.0
DENY_VERSION=0.20.2
# Of Kustomize's version 5 the newest that Debian 12's Go (1.19) builds, and what kubectl 1.27 has in it.
KUSTOMIZE_VERSION=5.0.3
# In the checkout, so that the machine keeps nothing of it.
LOCAL_TOOLS=$PWD/target/tools

need_rust_components() {
    cargo fmt --version >/dev/null 2>&1 || rustup_add component rustfmt || die "rustfmt is missing."
    cargo clippy --version >/dev/null 2>&1 || rustup_add component clippy || die "clippy is missing."
}

# need_cargo_tool NAME VERSION: cargo-NAME, in this version. Unoptimised, because to compile it takes longer than to run it.
need_cargo_tool() {
    PATH=$LOCAL_TOOLS/bin:$PATH
    [[ $(cargo "$1" --version 2>/dev/null) != *" $2" ]] || return 0
    say "cargo-$1 $2 is missing: cargo install cargo-$1 into target/tools"
    # With build results of its own, whatever folder those of the caller are in.
    env -u CARGO_TARGET_DIR cargo install "cargo-$1" --quiet --debug --locked --version "$2" --root "$LOCAL_TOOLS"
}

# cargo-llvm-cov, and LLVM's own tools in the major version of the compiler, whose format they read.
need_coverage_tools() {
    need_cargo_tool llvm-cov "$LLVM_COV_VERSION"
    local in_toolchain major
    in_toolchain=$(rustc --print sysroot)/lib/rustlib/$(rustc --print host-tuple)/bin
    major=$(rustc -vV | sed -nE 's/^LLVM version: ([0-9]+).*/\1/p')
    if use_llvm "$in_toolchain" || use_llvm "/usr/lib/llvm-$major/bin"; then return; fi
    if rustup_add component llvm-tools && use_llvm "$in_toolchain"; then return; fi
    install_packages "LLVM $major, which reads the coverage" "llvm-$major"
    use_llvm "/usr/lib/llvm-$major/bin" || die "llvm-cov of LLVM $major is needed."
}

use_llvm() {
    [ -x "$1/llvm-cov" ] && [ -x "$1/llvm-profdata" ] || return 1
    export LLVM_COV=$1/llvm-cov LLVM_PROFDATA=$1/llvm-profdata
}

need_browser() {
    { command -v chromium || command -v google-chrome; } >/dev/null && command -v chromedriver >/dev/null && return
    # A font, because a page without one has no text to look at.
    install_packages "Chromium with its driver" chromium chromium-driver fonts-dejavu-core
}

need_pgbouncer() {
    # Debian has it in a folder that is not in everybody's path.
    PATH=$PATH:/usr/sbin command -v pgbouncer >/dev/null || install_packages "PgBouncer, which stands before the database in tests" pgbouncer
}

# need_npm_packages FOLDER: the npm packages that its package-lock.json names, unless they are what is installed.
need_npm_packages() {
    local locked=$1/package-lock.json installed=$1/node_modules/.installed-lock.json
    ! cmp -s "$locked" "$installed" || return 0
    if ! { command -v node && command -v npm; } >/dev/null; then
        install_packages "npm, which fetches tools of the tests" nodejs npm
    fi
    say "npm packages are missing or not the locked ones: npm ci in $1"
    # From within, because npm reads the .npmrc of the folder that it runs in. What is optional is not needed, and some
    # of it would run something of its own when it is installed.
    (cd "$1" && npm ci --omit=optional --loglevel=error) || die "npm could not install what $locked names."
    cp "$locked" "$installed"
}

# need_python_tools FOLDER VENV: the packages that its requirements.txt names, each by its hash, unless they are what is installed.
need_python_tools() {
    local locked=$1/requirements.txt installed=$2/.installed.txt
    ! cmp -s "$locked" "$installed" || return 0
    has_python || install_packages "Python 3.11 or newer with venv" python3 python3-venv
    has_python || die "Python 3.11 or newer is needed; this system has an older one."
    say "Python tools are missing or not the locked ones: pip install -r $locked"
    rm -rf "$2"
    python3 -m venv "$2"
    "$2/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$locked" ||
        die "pip could not install what $locked names."
    cp "$locked" "$installed"
}

# What checks the manifests. Sets PATH and KUSTOMIZE.
need_manifest_tools() {
    local place=$LOCAL_TOOLS/manifests
    need_python_tools tests/k3s "$place"
    PATH=$place/bin:$LOCAL_TOOLS/bin:$PATH
    command -v openssl >/dev/null || install_packages "openssl, which k3s/secrets makes keys with" openssl
    need_kustomize
}

has_python() { python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Older ones read our kustomizations differently.
need_kustomize() {
    export KUSTOMIZE
    if kubectl version --client 2>/dev/null | grep -qE 'v1\.(2[7-9]|[3-9][0-9])\.'; then
        KUSTOMIZE="kubectl kustomize"
        return
    fi
    KUSTOMIZE="kustomize build"
    if kustomize version 2>/dev/null | grep -qE '^v([5-9]|[1-9][0-9])\.' || [ -x "$LOCAL_TOOLS/bin/kustomize" ]; then return; fi
    command -v go >/dev/null || install_packages "Go, which builds kustomize" golang-go
    say "Neither kubectl 1.27 or newer nor kustomize 5 is there: go install kustomize $KUSTOMIZE_VERSION into target/tools"
    local work=$LOCAL_TOOLS/go
    GOPATH=$work GOCACHE=$work/cache GOBIN=$LOCAL_TOOLS/bin GOFLAGS=-modcacherw CGO_ENABLED=0 \
        go install "sigs.k8s.io/kustomize/kustomize/v5@v$KUSTOMIZE_VERSION" ||
        die "kustomize could not be built. Install kubectl 1.27 or newer, or kustomize 5."
    rm -rf "$work"
}
