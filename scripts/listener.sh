# Who has a port: sourced, not run. Needs terminal.sh.
# shellcheck shell=bash

# say_who_listens PORT: each process that does, as far as this user may see it, and how to end one of this checkout.
say_who_listens() {
    local process name
    for process in $(listeners "$1"); do
        name=$(cat "/proc/$process/comm") || continue
        if ! is_of_this_checkout "$process"; then
            note "Process $process ($name) listens on port $1."
        elif is_looked_after "$process"; then
            note "Process $process ($name), of a \`make up\` or \`spin up\` of this checkout, listens on port $1: Ctrl-C there ends it."
        else
            note "Process $process ($name) listens on port $1. It is left over of a \`make up\` or \`spin up\` of this checkout that was"
            note "killed, and serves on by itself. To end it: kill $process"
        fi
    done
}

# listeners PORT: the processes that listen on it at whichever address, by Linux' own tables.
listeners() {
    local port socket
    printf -v port ':%04X' "$1"
    awk -v port="$port" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        while read -r socket; do
            find /proc/[0-9]*/fd -lname "socket:\[$socket\]" 2>/dev/null | cut -d / -f 3
        done | sort -nu || true
}

# Spin's child knows the folder of its manifest by SPIN_LOCAL_APP_DIR, wherever it was started.
is_of_this_checkout() {
    case $(cat "/proc/$1/comm") in spin | host) ;; *) return 1 ;; esac
    [ "$(readlink "/proc/$1/cwd")" = "$PWD" ] || grep -qzxF "SPIN_LOCAL_APP_DIR=$PWD" "/proc/$1/environ"
}

# Whether the `spin up` or scripts/up that started a process is still there.
is_looked_after() {
    local parent
    parent=$(sed -n 's/^PPid:\t//p' "/proc/$1/status")
    case $(tr '\0' ' ' <"/proc/$parent/cmdline" 2>/dev/null) in spin\ * | */spin\ * | *scripts/up\ *) ;; *) return 1 ;; esac
}
