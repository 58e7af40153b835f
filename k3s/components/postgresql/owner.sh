# Run once by the image's entrypoint, when the volume is empty. The owner is no superuser: it owns the database and may
# make the application's role (identity-ops role).
# shellcheck shell=bash
psql --no-psqlrc --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --quiet <<'SQL'
\getenv password OWNER_PASSWORD
CREATE ROLE identity_owner LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE identity OWNER identity_owner;
SQL
