# DATABASE_URL, the owner's connection: sourced, not run. Needs terminal.sh.
# shellcheck shell=bash

DATABASE_URL_RULES=${BASH_SOURCE[0]%/*}/database-url.rules

# Sets DB_PASSWORD and DB_NAME (percent-encoded, as they stand in it), DB_HOST, DB_PORT, DB_TLS, how the application is to
# connect to the same database (disable or require), and DB_AUTHORITY, the file of sslrootcert, if any.
read_database_url() {
    refuse_database_url
    local form='^[a-z]+://[^:@]+(:([^@]*))?@([^:/]+)(:([0-9]+))?/([^?]+)[?]?(.*)$'
    [[ $DATABASE_URL =~ $form ]] || die "DATABASE_URL cannot be read."
    DB_PASSWORD=${BASH_REMATCH[2]} DB_HOST=${BASH_REMATCH[3]} DB_PORT=${BASH_REMATCH[5]:-5432} DB_NAME=${BASH_REMATCH[6]}
    local settings="&${BASH_REMATCH[7]}&"
    DB_AUTHORITY=
    [[ ! $settings =~ '&sslrootcert='([^&]*) ]] || DB_AUTHORITY=$(percent_decode "${BASH_REMATCH[1]}")
    case $settings in
    *'&sslmode=disable&'*) DB_TLS=disable ;;
    # The components' driver knows no other way to insist on TLS.
    *'&sslmode=require&'* | *'&sslmode=verify-ca&'* | *'&sslmode=verify-full&'*) DB_TLS=require ;;
    *) case $DB_HOST in 127.0.0.1 | localhost) DB_TLS=disable ;; *) DB_TLS=require ;; esac ;;
    esac
}

# Says what is wrong with it, without a word of it, and how to write it.
refuse_database_url() {
    [ -n "${DATABASE_URL:-}" ] ||
        die "DATABASE_URL is not set: the owner's connection, postgres://user:password@host:port/database"
    local kind pattern reason
    # Bytes, not letters of some language.
    local LC_ALL=C
    while IFS=$'\t' read -r kind pattern reason; do
        case $kind in
        is) [[ ! $DATABASE_URL =~ $pattern ]] || die "DATABASE_URL: $reason" ;;
        'is not') [[ $DATABASE_URL =~ $pattern ]] || die "DATABASE_URL: $reason" ;;
        esac
    done <"$DATABASE_URL_RULES"
}

percent_decode() { printf '%b' "${1//%/\\x}"; }
