# How PostgreSQL's own programs reach the owner's database: sourced, not run. Needs terminal.sh and database-url.sh.
# shellcheck shell=bash

# Sets CONNECTION to what they get as --dbname: DATABASE_URL without its password, which goes by the environment, since
# everybody can read the arguments of a process. Finds the client programs, and asks the server of which major it is.
use_owner_connection() {
    read_database_url
    CONNECTION=$DATABASE_URL
    if [ -n "$DB_PASSWORD" ]; then
        CONNECTION=${DATABASE_URL/":$DB_PASSWORD@"/@}
        PGPASSWORD=$(percent_decode "$DB_PASSWORD")
        export PGPASSWORD
    fi
    export PGAPPNAME=${0##*/} PGCONNECT_TIMEOUT=10
    find_clients
}

# choose_clients MAJOR: puts the client programs into PATH that are taken, which are the oldest that are no older than the
# server (they would refuse it) nor than MAJOR, that of the pg_dump which wrote a file.
choose_clients() {
    local needed=$SERVER_MAJOR why="PostgreSQL $SERVER_MAJOR serves" client
    [ "$1" -le "$needed" ] || needed=$1 why="pg_dump $1 wrote the file"
    for client in "${CLIENTS[@]}"; do
        [ "${client%% *}" -ge "$needed" ] || continue
        PATH=${client#* }:$PATH
        note "PostgreSQL $SERVER_MAJOR, with the client programs of ${client%% *} in ${client#* }"
        return
    done
    die "$why: that needs client programs of $needed or newer. Debian calls them postgresql-client-$needed (apt.postgresql.org has every major); or PGTOOLS_$needed names their folder. Here are: $(printf '%s, ' "${CLIENTS[@]}" | sed 's/, $//')"
}

# Sets CLIENTS, a line "MAJOR FOLDER" for each folder that has all three programs, and SERVER_MAJOR. The oldest come first, and
# of one major those of PGTOOLS_<major>, then those of PATH, then the system's.
find_clients() {
    mapfile -t CLIENTS < <(installed_clients | awk '!seen[$0]++' | sort --stable --numeric-sort --key=1,1)
    [ ${#CLIENTS[@]} -gt 0 ] ||
        die "PostgreSQL's client programs (pg_dump, pg_restore, psql) are missing. Debian calls them: postgresql-client"
    # A psql of any major can ask any server.
    PATH=${CLIENTS[-1]#* }:$PATH
    SERVER_MAJOR=$(owner_psql --command="SELECT current_setting('server_version_num')::integer / 10000") ||
        die "PostgreSQL at DATABASE_URL cannot be used."
}

installed_clients() {
    local name folder major folders=()
    for name in "${!PGTOOLS_@}"; do folders+=("${!name}" "${!name}/bin"); done
    mapfile -t -O "${#folders[@]}" folders < <(type -ap pg_dump | sed 's#/[^/]*$##')
    for folder in "${folders[@]}" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
        [ -x "$folder/pg_dump" ] && [ -x "$folder/pg_restore" ] && [ -x "$folder/psql" ] || continue
        # Debian's, in /usr/bin, would choose among the system's by a rule of its own.
        [[ $(readlink -f "$folder/pg_dump") != */pg_wrapper ]] || continue
        major=$("$folder/pg_dump" --version | sed -nE 's/^pg_dump \(PostgreSQL\) ([0-9]+).*/\1/p') || continue
        [ -z "$major" ] || printf '%s %s\n' "$major" "$folder"
    done
}

# psql as the owner, whose only output is what is asked for, and which stops at the first error. Nothing that somebody else
# may create is looked up. Statements come by --command or --file (- is standard input).
owner_psql() {
    psql --dbname="$CONNECTION" --no-password --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 \
        --command='SET search_path = pg_catalog, pg_temp' "$@"
}
