# How PostgreSQL's own programs reach the owner's database: sourced, not run. Needs terminal.sh and database-url.sh.
# shellcheck shell=bash

# Sets CONNECTION to what they get as --dbname: DATABASE_URL without its password, which goes by the environment, since
# everybody can read the arguments of a process. Puts the programs into PATH.
use_owner_connection() {
    read_database_url
    CONNECTION=$DATABASE_URL
    if [ -n "$DB_PASSWORD" ]; then
        CONNECTION=${DATABASE_URL/":$DB_PASSWORD@"/@}
        PGPASSWORD=$(percent_decode "$DB_PASSWORD")
        export PGPASSWORD
    fi
    export PGAPPNAME=${0##*/} PGCONNECT_TIMEOUT=10
    use_programs
}

# Those of the server's own major version where they are installed (older ones refuse a newer server, and what newer ones
# write may be more than an older server reads), else the newest.
use_programs() {
    local newest major
    newest=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    PATH=$newest:$PATH
    { command -v pg_dump && command -v pg_restore && command -v psql; } >/dev/null ||
        die "PostgreSQL's client programs are missing. Debian calls them: postgresql-client"
    major=$(owner_psql --command="SELECT current_setting('server_version_num')::integer / 10000") ||
        die "PostgreSQL at DATABASE_URL cannot be used."
    PATH=/usr/lib/postgresql/$major/bin:$PATH
}

# psql as the owner, whose only output is what is asked for, and which stops at the first error. Nothing that somebody else
# may create is looked up. Statements come by --command or --file (- is standard input).
owner_psql() {
    psql --dbname="$CONNECTION" --no-password --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 \
        --command='SET search_path = pg_catalog, pg_temp' "$@"
}
