-- Upkeep: what has ended is removed. The owner calls purge() again and again, until no kind fills its batch.
--
-- What somebody is told to be dead is dead before it is removed (the statements of the service look at its time), so
-- nothing depends on when this runs.

-- They find what is due without reading what is not.
CREATE INDEX account_by_pending_until ON account (pending_until) WHERE pending_until IS NOT NULL;
CREATE INDEX credential_by_deadline ON credential (deadline) WHERE NOT live;
CREATE INDEX credential_by_expiry ON credential (expires_at) WHERE live;
CREATE INDEX event_without_account_by_time ON event (at) WHERE account_id IS NULL;

-- Whether the credentials of an account ended before this time, and nobody is about to renew them. A suspended account
-- is not forgotten: it waits for its operator.
CREATE FUNCTION is_forgotten(owner account, credentials credential, expired_before timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT owner.state IN ('active', 'expired') AND credentials.expires_at <= expired_before
        AND NOT EXISTS (SELECT FROM credential WHERE account_id = owner.id AND NOT live AND deadline > now())
        AND NOT EXISTS (SELECT FROM renewal_token WHERE credential_id = credentials.id AND expires_at > now())
$$;

-- Removes one batch of each kind and says how many of each. Beside live traffic it waits for nobody's row (SKIP LOCKED:
-- what is locked is in use, and the next call finds it), locks an account before its credentials as every statement
-- here does, and takes what others may wait for last. The months are the calendar's, in UTC, as everywhere.
CREATE FUNCTION purge(
    session_idle_seconds bigint, session_ttl_seconds bigint, refusal_hours integer, event_months integer,
    expired_months integer, reserved_name_months integer, batch bigint)
RETURNS TABLE (what text, removed bigint) LANGUAGE plpgsql STRICT SET timezone = 'UTC' AS $$
DECLARE
    expired_before timestamptz := now() - make_interval(months => expired_months);
    forgotten uuid[];
BEGIN
    IF least(session_idle_seconds, session_ttl_seconds, refusal_hours, event_months, expired_months,
             reserved_name_months, batch) < 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'purge: every number is 1 or more';
    END IF;

    DELETE FROM event WHERE id = ANY (ARRAY(
        SELECT id FROM event
        WHERE account_id IS NULL AND outcome <> 'ok' AND at <= now() - make_interval(hours => refusal_hours)
        ORDER BY at LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'refusals that concern no account'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    DELETE FROM event WHERE id = ANY (ARRAY(
        SELECT id FROM event WHERE at <= now() - make_interval(months => event_months)
        ORDER BY at LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'other events'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    DELETE FROM reserved_name WHERE hash = ANY (ARRAY(
        SELECT hash FROM reserved_name WHERE reserved_until <= now() LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'reserved names'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    DELETE FROM renewal_token WHERE hash = ANY (ARRAY(
        SELECT hash FROM renewal_token WHERE expires_at <= now() LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'renewal tokens'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    DELETE FROM session WHERE hash = ANY (ARRAY(
        SELECT hash FROM session
        WHERE last_seen_at <= now() - make_interval(secs => session_idle_seconds)
            OR created_at <= now() - make_interval(secs => session_ttl_seconds)
        LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'sessions'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    -- Two statements, because the second one's snapshot is of after the lock: it sees the renewal token of a login that
    -- was faster.
    forgotten := ARRAY(
        SELECT account.id FROM account JOIN credential ON credential.id = account.credential_id
        WHERE credential.live AND credential.expires_at <= expired_before
            AND is_forgotten(account, credential, expired_before)
        ORDER BY credential.expires_at LIMIT batch FOR UPDATE OF account SKIP LOCKED);
    WITH gone AS (
        DELETE FROM account USING credential
        WHERE account.id = ANY (forgotten) AND credential.id = account.credential_id
            AND is_forgotten(account, credential, expired_before)
        RETURNING account.id, account.username),
    reserved AS (
        INSERT INTO reserved_name (hash, reserved_until)
        SELECT name_hash(username), now() + make_interval(months => reserved_name_months) FROM gone
        ON CONFLICT (hash) DO UPDATE SET reserved_until = excluded.reserved_until)
    INSERT INTO event (kind, outcome, account_id) SELECT 'remove', 'expired', id FROM gone;
    what := 'expired accounts'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    -- A newer renewal replaces the row that was found; the delete looks at it again. (A live one has no deadline.)
    DELETE FROM credential WHERE deadline <= now() AND account_id = ANY (ARRAY(
        SELECT account.id FROM account JOIN credential ON credential.account_id = account.id
        WHERE NOT credential.live AND credential.deadline <= now() AND account.state <> 'pending'
        ORDER BY credential.deadline LIMIT batch FOR UPDATE OF account SKIP LOCKED));
    what := 'abandoned renewals'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    DELETE FROM account WHERE id = ANY (ARRAY(
        SELECT id FROM account WHERE pending_until <= now()
        ORDER BY pending_until LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'pending accounts'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION
    purge(bigint, bigint, integer, integer, integer, integer, bigint), is_forgotten(account, credential, timestamptz)
    FROM PUBLIC;
