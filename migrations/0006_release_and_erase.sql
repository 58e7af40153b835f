-- What an operator does for people who cannot log in. It only adds: the release before runs on it.

-- New: erase (by an operator, for whoever asks to be forgotten and cannot log in).
CREATE OR REPLACE FUNCTION is_event_kind(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT kind IN (
        'start', 'new_code', 'renew', 'poll', 'reveal', 'enroll', 'activate', 'login', 'session', 'logout',
        'suspend', 'release', 'end_session', 'delete', 'remove', 'unreadable', 'restore', 'erase')
$$;

-- The newest step of which a code is accepted in this moment (RFC 6238 section 5.2). The moment is that of the call and not
-- now(), so that who has waited for a lock does not judge by the time before.
CREATE FUNCTION last_step_in_reach() RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    SELECT floor(extract(epoch FROM clock_timestamp()) / 30)::bigint + 1
$$;

-- A step that was stored while the clock ran ahead shuts its owner out until that time has come. It may be taken back, but
-- only as far as no code of the new step, or of an older one, is accepted in this moment.
CREATE OR REPLACE FUNCTION refuse_a_step_that_does_not_grow() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.last_step < OLD.last_step AND NEW.last_step > identity.last_step_in_reach() THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        CONSTRAINT = 'credential_step_only_grows',
        MESSAGE = 'a TOTP step that was accepted, or an older one, may not be accepted again';
END
$$;

-- Gives an account back to an owner who is shut out: because it is suspended, because it waits after wrong codes (by a wrong
-- clock perhaps until a far future), or because its step lies in the future. With no wrong codes counted and no session
-- open. Such a step becomes the second one out of reach, since the first may come into reach before the trigger looks: no
-- code is accepted for up to two minutes. The clock has to be right by then: what is a step of the future for one that is
-- behind was an honest one, and its code would be accepted once more.
CREATE OR REPLACE FUNCTION release_account(name text) RETURNS boolean LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    WITH released AS (
        UPDATE identity.account SET
            state = CASE WHEN credential.expires_at <= now() THEN 'expired' ELSE 'active' END,
            wrong_codes = 0,
            locked_until = NULL
        FROM identity.credential
        WHERE username = name AND credential.id = account.credential_id AND (
            state = 'suspended' OR account.locked_until > now() OR last_step > identity.last_step_in_reach() + 2)
        RETURNING account.id, account.credential_id),
    ended AS (DELETE FROM identity.session USING released WHERE session.credential_id = released.credential_id),
    taken_back AS (
        UPDATE identity.credential SET last_step = identity.last_step_in_reach() + 2 FROM released
        WHERE credential.id = released.credential_id AND last_step > identity.last_step_in_reach() + 2),
    recorded AS (
        INSERT INTO identity.event (kind, outcome, account_id) SELECT 'release', 'ok', id FROM released)
    SELECT count(*) = 1 FROM released
$$;

REVOKE ALL ON FUNCTION last_step_in_reach() FROM PUBLIC, cofrap_app;
