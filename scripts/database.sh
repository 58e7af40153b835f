# Brings the database up to date and .env with it: sourced, not run. Needs terminal.sh and database-url.sh.
# shellcheck shell=bash
#
# Which database: DATABASE_URL's (an owner's connection), else the private PostgreSQL's in .run/postgres.
# Which values: the environment wins, then .env, then what is made here. Lines of .env that are there stay, but the DSN,
# host and port are kept true, and so is a public URL that names this machine.

PRIVATE=.run/postgres
ENV_FILE=.env
NATIVE_TOOLS=${CARGO_TARGET_DIR:-target}/debug

# Makes sure that there is, or can be, a database to prepare.
check_database() {
    if [ -n "${DATABASE_URL:-}" ]; then
        read_database_url
    else
        refuse_foreign_dsn
        mkdir -p "$PRIVATE"
        scripts/postgres need "$PRIVATE"
    fi
}

# prepare_database LISTEN: everything that serving on LISTEN needs, but the components. Sets STARTED_PRIVATE.
prepare_database() {
    STARTED_PRIVATE= USES_PRIVATE=
    if [ -z "${DATABASE_URL:-}" ]; then
        USES_PRIVATE=yes
        refuse_foreign_dsn
        say "Starting the private PostgreSQL (DATABASE_URL names none)"
        scripts/postgres status "$PRIVATE" || STARTED_PRIVATE=yes
        scripts/postgres start "$PRIVATE"
        DATABASE_URL=$(scripts/postgres url "$PRIVATE" identity)
        export DATABASE_URL
        create_private_database
    fi
    read_database_url
    local encoded
    encoded=$(encoded_password "$(value_of PG_DSN)")
    if [ -z "$encoded" ]; then
        [ -z "${SPIN_VARIABLE_PG_DSN:-}" ] || die "SPIN_VARIABLE_PG_DSN has to be postgres://cofrap_app:password@..."
        encoded=$(random_hex 24)
    fi

    say "Making or updating the application role, and migrating"
    APPLICATION_PASSWORD=$(percent_decode "$encoded") "$NATIVE_TOOLS/identity-ops" role | sed 's/^/    /'
    "$NATIVE_TOOLS/identity-ops" migrate | sed 's/^/    /'
    write_settings "$1" "$encoded"
}

# --- the database's address ---

create_private_database() {
    local exists="SELECT 1 FROM pg_database WHERE datname = 'identity'"
    [ -n "$(scripts/postgres psql "$PRIVATE" postgres -qAt -c "$exists")" ] ||
        scripts/postgres psql "$PRIVATE" postgres -q -c 'CREATE DATABASE identity'
}

# application_dsn PASSWORD: how the components connect to the database that DB_HOST, DB_PORT, DB_NAME and DB_TLS say. The
# password percent-encoded. All times are in seconds for their driver. An idle connection that was dropped without a word (by
# a firewall, with a lost node) leaves the pool after 10 to 15 seconds, before a request meets it; a request that met it
# first, after 10.
application_dsn() {
    local dropped='keepalives_idle=5&keepalives_interval=5&keepalives_retries=2&tcp_user_timeout=10'
    printf '%s\n' "postgres://cofrap_app:$1@$DB_HOST:$DB_PORT/$DB_NAME?sslmode=$DB_TLS&connect_timeout=2&$dropped&application_name=cofrap-identity&options=-c%20default_transaction_isolation%3Dread%5C%20committed"
}

# Without DATABASE_URL only the private PostgreSQL's address may be rewritten, not one that somebody put there.
refuse_foreign_dsn() {
    local dsn
    dsn=$(value_of PG_DSN)
    case $dsn in
    '' | postgres://cofrap_app:*@127.0.0.1:*/identity\?*) ;;
    *) die "SPIN_VARIABLE_PG_DSN (in the environment or $ENV_FILE) names another database than the private one. Set DATABASE_URL to that database's owner, or take the DSN out." ;;
    esac
}

# The password in a DSN of the application role, still percent-encoded.
encoded_password() { sed -nE 's#^postgres(ql)?://cofrap_app:([^@/]+)@.*#\2#p' <<<"$1"; }

# --- .env ---

# Each line of .env is one that Spin, the host and these scripts read alike. With another one Spin starts, and writes it into
# its log later on, secret and all; so it is told by its number.
check_settings_file() {
    [ -e "$ENV_FILE" ] || return 0
    # Bytes, not letters of some language.
    local LC_ALL=C line number=0
    local single="'[^'\\[:cntrl:]]*'" double='"[^"\$[:cntrl:]]*"' bare='[]!%&(-[^-~][]!#%&(-[^-~]*'
    local form="^($|[[:blank:]]*#|[A-Za-z_][A-Za-z0-9_]*=($single|$double|$bare)?$)"
    while IFS= read -r line || [ -n "$line" ]; do
        number=$((number + 1))
        [[ $line =~ $form ]] || die "line $number of $ENV_FILE would not mean the same to Spin, the host and the scripts. A line is empty, a comment (#), or one of
    NAME=value      ASCII without spaces, quotes, \\ and \$, and not beginning with #
    NAME='value'    without ' and \\
    NAME=\"value\"    without \", \\ and \$
with nothing around it: no space, no \"export\", no carriage return. (The line is not shown, as it may hold a secret.)"
    done <"$ENV_FILE"
    iconv -f UTF-8 -t UTF-8 "$ENV_FILE" >/dev/null 2>&1 || die "$ENV_FILE is not UTF-8."
}

value_of() {
    local name=SPIN_VARIABLE_$1
    if [ -n "${!name:-}" ]; then
        echo "${!name}"
    else
        line_of "$1"
    fi
}

# The value in .env. Its last line counts, as for Spin; quotes around it are not part of it.
line_of() {
    [ -e "$ENV_FILE" ] || return 0
    sed -n "s/^SPIN_VARIABLE_$1=//p" "$ENV_FILE" | tail -n 1 | sed "s/^'\(.*\)'\$/\1/; s/^\"\(.*\)\"\$/\1/"
}

# write_settings LISTEN PASSWORD: the password percent-encoded.
write_settings() {
    local dsn=postgres://cofrap_app:$2@$DB_HOST:$DB_PORT/$DB_NAME url=http://$1
    case $(line_of PG_DSN) in
    # True, whatever else it says.
    "$dsn" | "$dsn?"*) ;;
    *) set_line PG_DSN "$(application_dsn "$2")" ;;
    esac
    set_line PG_HOST "$DB_HOST"
    set_line PG_PORT "$DB_PORT"
    [ -n "$(value_of SEALING_KEYS)" ] || refuse_to_replace_keys
    [ -n "$(value_of SEALING_KEYS)" ] || set_line SEALING_KEYS "k1:$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
    if ! public_url_is_chosen; then
        set_line PUBLIC_URL "$url"
        echo "$url" >.run/public-url
    fi
}

# Whether somebody wrote the public URL. A line that was made here follows LISTEN.
public_url_is_chosen() {
    [ -n "${SPIN_VARIABLE_PUBLIC_URL:-}" ] && return
    case $(line_of PUBLIC_URL) in '' | "$(cat .run/public-url 2>/dev/null)") return 1 ;; esac
}

# With new keys nobody who has an account could log in: what is stored was sealed with the old ones.
refuse_to_replace_keys() {
    [ -n "$USES_PRIVATE" ] || return 0
    [ "$(scripts/postgres psql "$PRIVATE" identity -qAt -c 'SELECT count(*) FROM identity.account')" = 0 ] ||
        die "SPIN_VARIABLE_SEALING_KEYS is missing, and $PRIVATE holds accounts that only the old keys open. Put the line back into $ENV_FILE, or start over: make db-reset"
}

# set_line NAME VALUE: adds the line or replaces it; a variable of the environment needs none.
set_line() {
    local name=SPIN_VARIABLE_$1 value=$2 new=.run/env.new
    [ -z "${!name:-}" ] || return 0
    [ "$(line_of "$1")" != "$value" ] || return 0
    note "$name -> $ENV_FILE"
    mkdir -p "${new%/*}"
    (
        umask 077
        if [ -e "$ENV_FILE" ]; then grep -v "^$name=" "$ENV_FILE" || true; fi >"$new"
        printf "%s='%s'\n" "$name" "$value" >>"$new"
    )
    mv "$new" "$ENV_FILE"
}

random_hex() { head -c "$1" /dev/urandom | od -An -tx1 | tr -d ' \n'; }
