-- One's own sessions and account: what looking, ending and deleting needs. Only adds: the release before runs on it.

-- Who deleted an account keeps its name for a while, because other systems may know the old owner by it. A hash, so
-- that nobody reads here who was a user.
CREATE TABLE reserved_name (
    hash bytea PRIMARY KEY
        CONSTRAINT reserved_name_hash_is_sha256 CHECK (octet_length(hash) = 32),
    reserved_until timestamptz NOT NULL
);

-- The hash of a username in its one spelling.
CREATE FUNCTION name_hash(username text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(username, 'UTF8'))
$$;

-- Here and not in the statement that starts, because one that waited for a deletion to let go of the name goes on with
-- the snapshot of before: only a query that begins after the wait sees the reservation. To the client it is the name
-- that is taken, so the error is the same, down to the words by which it is known where errors arrive as text.
CREATE FUNCTION refuse_a_reserved_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reserved_name WHERE hash = name_hash(NEW.username) AND reserved_until > now()) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'unique_violation',
            CONSTRAINT = 'account_username_is_free',
            MESSAGE = 'duplicate key value violates unique constraint "account_username_is_free"';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER account_username_is_not_reserved
    AFTER INSERT ON account FOR EACH ROW EXECUTE FUNCTION refuse_a_reserved_name();

-- A reservation that has ended is as if it had never been, so it makes room for the next one of its name. As the owner:
-- the application may not delete one.
CREATE FUNCTION forget_an_ended_reservation() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM reserved_name WHERE hash = NEW.hash AND reserved_until <= now();
    RETURN NEW;
END
$$;

CREATE TRIGGER reserved_name_may_follow_an_ended_one
    BEFORE INSERT ON reserved_name FOR EACH ROW EXECUTE FUNCTION forget_an_ended_reservation();

-- The sessions of one credential that are not too old, without a look at the dead ones of six months.
CREATE INDEX session_by_credential_and_age ON session (credential_id, created_at);
DROP INDEX session_by_credential;

-- New: end_session (of one's own), delete (by the owner), remove (by an operator), unreadable (a sealed value that does
-- not open, and why).
ALTER TABLE event
    DROP CONSTRAINT event_kind_is_known,
    ADD CONSTRAINT event_kind_is_known CHECK (kind IN (
        'start', 'new_code', 'renew', 'poll', 'reveal', 'enroll', 'activate', 'login', 'session', 'logout',
        'suspend', 'release', 'end_session', 'delete', 'remove', 'unreadable')),
    DROP CONSTRAINT event_outcome_is_known,
    ADD CONSTRAINT event_outcome_is_known CHECK (outcome IN (
        'ok', 'username_taken', 'token_invalid', 'session_invalid', 'token_used', 'token_expired', 'token_unknown',
        'password_not_revealed', 'totp_not_started', 'superseded',
        'wrong_password', 'wrong_code', 'wrong_code_locks', 'wrong_code_suspends', 'wrong_code_ends_start',
        'reused_code', 'waiting', 'suspended', 'stale', 'expired',
        'session_unknown', 'unknown_key', 'unknown_version', 'malformed', 'forged'));

-- As before, and refused deletions count with the logins: both are guesses at the same secrets.
CREATE OR REPLACE FUNCTION failed_logins_since(owner_id uuid, since timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM (
        SELECT FROM event
        WHERE event.account_id = owner_id AND kind IN ('login', 'delete') AND outcome NOT IN ('ok', 'expired')
            AND at > coalesce(since, '-infinity')
        LIMIT 1000) AS failed
$$;

-- The newest events of an account, newest first. However many there are, it walks the index and stops: statistics that
-- are not up to date would otherwise make a flood of guesses be read whole.
CREATE FUNCTION newest_events(owner_id uuid, most bigint) RETURNS SETOF event LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT * FROM event WHERE event.account_id = owner_id ORDER BY at DESC LIMIT most
$$;

-- The operator's: removes the account of somebody who lost the phone or the password, with all that is its own but its
-- events. The name is free at once.
CREATE FUNCTION delete_account(name text) RETURNS boolean LANGUAGE sql AS $$
    WITH removed AS (DELETE FROM account WHERE username = name RETURNING id),
    recorded AS (INSERT INTO event (kind, outcome, account_id) SELECT 'remove', 'ok', id FROM removed)
    SELECT count(*) = 1 FROM removed
$$;

REVOKE ALL ON FUNCTION delete_account(text), forget_an_ended_reservation() FROM PUBLIC;

-- The application reserves and looks; it neither changes a reservation nor ends one.
GRANT SELECT, INSERT (hash, reserved_until) ON reserved_name TO cofrap_app;
