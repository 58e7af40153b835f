# Finds, or installs, a way to build for wasm32-wasip2: sourced, not run. Needs terminal.sh and install.sh.
# shellcheck shell=bash
#
# Two ways are known. Rustup's has the target's standard library ready. Debian's packages have its source and a wasm C
# library, and Cargo builds it; the linkers then come from rustup's toolchain, which has them without the target.
# WASM_TOOLCHAIN=rustup or =debian insists on one.

WASM_TARGET=wasm32-wasip2
COMPONENTS=(password totp account fileserver)
DEBIAN_PACKAGES=(rustc-web cargo-web rust-web-src wasi-libc)

# Sets WASM_CARGO (the command), WASM_RUSTFLAGS and WASM_ENV (variables of the command).
find_wasm_toolchain() {
    command -v rustc >/dev/null || die "Rust is missing: install it from https://rustup.rs"
    local wanted=${WASM_TOOLCHAIN:-}
    if [ "$wanted" != debian ]; then
        if rustup_has_target; then use_rustup; return; fi
        # Where Debian's way is set up already, the network was tried before.
        if [ "$wanted" = rustup ] || ! debian_is_ready; then
            if rustup_add target "$WASM_TARGET" && rustup_has_target; then use_rustup; return; fi
            [ "$wanted" != rustup ] || die "rustup has no $WASM_TARGET here."
            note "rustup cannot fetch $WASM_TARGET here."
        fi
    fi
    if ! debian_is_ready; then
        has_apt || die "the Rust target $WASM_TARGET is missing: rustup target add $WASM_TARGET"
        install_packages "A standard library for $WASM_TARGET" "${DEBIAN_PACKAGES[@]}"
    fi
    use_debian
}

rustup_has_target() {
    local libraries
    libraries=$(rustc --print target-libdir --target "$WASM_TARGET" 2>/dev/null) && [ -d "$libraries" ]
}

use_rustup() {
    note "with $(rustc --version)"
    WASM_CARGO=(cargo build)
    # Where rustup's rust-src is installed (an editor wants it), the compiler names the library's sources by their path in
    # there, and elsewhere by this one.
    WASM_RUSTFLAGS=(
        "--remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust=/rustc/$(rustc -vV | sed -n 's/^commit-hash: //p')"
    )
    WASM_ENV=()
}

debian_is_ready() {
    command -v dpkg-query >/dev/null || return 1
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Status}\n' "${DEBIAN_PACKAGES[@]}" 2>/dev/null) &&
        [ "$(grep -cx installed <<<"$installed")" -eq "${#DEBIAN_PACKAGES[@]}" ]
}

use_debian() {
    local linkers
    linkers=$(rustc --print sysroot)/lib/rustlib/$(rustc --print host-tuple)/bin
    [ -x "$linkers/wasm-component-ld" ] ||
        die "wasm-component-ld is missing in $linkers: Debian's way needs rustup's toolchain in PATH too."
    note "with Debian's $(/usr/bin/rustc --version), which builds the standard library first"
    WASM_CARGO=(/usr/bin/cargo build '-Zbuild-std=std,panic_abort')
    WASM_RUSTFLAGS=(-C link-self-contained=no -L native=/usr/lib/wasm32-wasi -C link-arg=-lc)
    WASM_ENV=(
        RUSTC=/usr/bin/rustc
        # -Zbuild-std is not stable; the compiler is.
        RUSTC_BOOTSTRAP=1
        CARGO_TARGET_WASM32_WASIP2_LINKER="$linkers/wasm-component-ld"
        PATH="$linkers/gcc-ld:$PATH"
    )
}
