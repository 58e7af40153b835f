-- The application reaches the tables through functions alone. From here on everything is in the schema identity, and the
-- application's role may use nothing of it but the functions of a release (crates/journey), which `identity-ops migrate`
-- installs behind the migrations. A break: no release before this one runs on this schema.
--
-- `identity-ops migrate` has made the schema, has moved into it what was elsewhere, and runs every migration with the
-- search path set to it.

REVOKE ALL ON ALL TABLES IN SCHEMA identity FROM PUBLIC, cofrap_app;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA identity FROM PUBLIC, cofrap_app;
REVOKE ALL ON SCHEMA identity FROM PUBLIC;
GRANT USAGE ON SCHEMA identity TO cofrap_app;

-- Parts of what the functions of a release do, with their hash in their names.
DROP FUNCTION
    wait_after_wrong_codes(integer, bigint, bigint),
    failed_logins_since(uuid, timestamptz),
    newest_events(uuid, bigint),
    purge(bigint, bigint, integer, integer, integer, integer, bigint),
    is_forgotten(account, credential, timestamptz);

-- Which release calls which function: what older ones left stays until an operator retires it.
CREATE TABLE release_function (
    release text NOT NULL,
    name text NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (release, name)
);

-- The kinds and outcomes of events, each once: a new one is a CREATE OR REPLACE that adds it. (A table of them with a
-- foreign key would have every event lock the same few rows.)
CREATE FUNCTION is_event_kind(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT kind IN (
        'start', 'new_code', 'renew', 'poll', 'reveal', 'enroll', 'activate', 'login', 'session', 'logout',
        'suspend', 'release', 'end_session', 'delete', 'remove', 'unreadable', 'restore')
$$;

CREATE FUNCTION is_event_outcome(outcome text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT outcome IN (
        'ok', 'username_taken', 'token_invalid', 'session_invalid', 'token_used', 'token_expired', 'token_unknown',
        'password_not_revealed', 'totp_not_started', 'superseded',
        'wrong_password', 'wrong_code', 'wrong_code_locks', 'wrong_code_suspends', 'wrong_code_ends_start',
        'reused_code', 'waiting', 'suspended', 'stale', 'expired',
        'session_unknown', 'unknown_key', 'unknown_version', 'malformed', 'forged')
$$;

ALTER TABLE event
    DROP CONSTRAINT event_kind_is_known,
    ADD CONSTRAINT event_kind_is_known CHECK (identity.is_event_kind(kind)),
    DROP CONSTRAINT event_outcome_is_known,
    ADD CONSTRAINT event_outcome_is_known CHECK (identity.is_event_outcome(outcome));

-- Functions of the schema that were found by the search path of whoever called them. Now their own text says where
-- everything is, so that they do the same for everybody.
-- (This one is put in the place of its call since it promises no more than what it calls.)
CREATE OR REPLACE FUNCTION name_hash(username text) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.sha256(pg_catalog.convert_to(username, 'UTF8'))
$$;

ALTER FUNCTION refuse_a_step_that_does_not_grow() SET search_path = pg_catalog, pg_temp;

CREATE OR REPLACE FUNCTION refuse_a_reserved_name() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM identity.reserved_name
        WHERE hash = identity.name_hash(NEW.username) AND reserved_until > now())
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'unique_violation',
            CONSTRAINT = 'account_username_is_free',
            MESSAGE = 'duplicate key value violates unique constraint "account_username_is_free"';
    END IF;
    RETURN NULL;
END
$$;

-- Nobody but the owner inserts a reservation any more, so it needs no rights of another's.
CREATE OR REPLACE FUNCTION forget_an_ended_reservation() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM identity.reserved_name WHERE hash = NEW.hash AND reserved_until <= now();
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION suspend_account(name text) RETURNS boolean LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    WITH suspended AS (
        UPDATE identity.account SET state = 'suspended'
        WHERE username = name AND state IN ('active', 'expired') RETURNING id),
    recorded AS (
        INSERT INTO identity.event (kind, outcome, account_id) SELECT 'suspend', 'ok', id FROM suspended)
    SELECT count(*) = 1 FROM suspended
$$;

CREATE OR REPLACE FUNCTION release_account(name text) RETURNS boolean LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    WITH released AS (
        UPDATE identity.account SET
            state = CASE WHEN credential.expires_at <= now() THEN 'expired' ELSE 'active' END,
            wrong_codes = 0,
            locked_until = NULL
        FROM identity.credential
        WHERE username = name AND state = 'suspended' AND credential.id = account.credential_id
        RETURNING account.id, account.credential_id),
    ended AS (DELETE FROM identity.session USING released WHERE session.credential_id = released.credential_id),
    recorded AS (
        INSERT INTO identity.event (kind, outcome, account_id) SELECT 'release', 'ok', id FROM released)
    SELECT count(*) = 1 FROM released
$$;

CREATE OR REPLACE FUNCTION delete_account(name text) RETURNS boolean LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    WITH removed AS (DELETE FROM identity.account WHERE username = name RETURNING id),
    recorded AS (
        INSERT INTO identity.event (kind, outcome, account_id) SELECT 'remove', 'ok', id FROM removed)
    SELECT count(*) = 1 FROM removed
$$;

CREATE OR REPLACE FUNCTION close_after_restore() RETURNS TABLE (what text, ended bigint) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last_step_in_reach bigint;
BEGIN
    LOCK TABLE identity.account IN EXCLUSIVE MODE;
    last_step_in_reach := floor(extract(epoch FROM clock_timestamp()) / 30)::bigint + 1;

    DELETE FROM identity.session;
    what := 'sessions'; GET DIAGNOSTICS ended = ROW_COUNT; RETURN NEXT;

    DELETE FROM identity.renewal_token;
    what := 'renewal tokens'; GET DIAGNOSTICS ended = ROW_COUNT; RETURN NEXT;

    DELETE FROM identity.account WHERE state = 'pending';
    what := 'pending accounts'; GET DIAGNOSTICS ended = ROW_COUNT; RETURN NEXT;

    DELETE FROM identity.credential WHERE NOT live;
    what := 'renewals'; GET DIAGNOSTICS ended = ROW_COUNT; RETURN NEXT;

    UPDATE identity.credential SET last_step = last_step_in_reach WHERE last_step < last_step_in_reach;
    INSERT INTO identity.event (kind, outcome) VALUES ('restore', 'ok');
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA identity FROM PUBLIC, cofrap_app;
