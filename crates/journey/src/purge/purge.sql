-- routine (session_idle_seconds bigint, session_ttl_seconds bigint, refusal_hours bigint, event_months bigint,
--     expired_months bigint, reserved_name_months bigint, batch bigint)
-- returns (what text, removed bigint)
-- set TimeZone = 'UTC'
--
-- Upkeep, as the owner: removes one batch of each kind of what has ended, and says how many of each. It is called again
-- and again, until no kind fills its batch. What somebody is told to be dead is dead before it is removed (the statements
-- of the service look at its time), so nothing depends on when this runs.
--
-- Beside live traffic it waits for nobody's row (SKIP LOCKED: what is locked is in use, and the next call finds it), locks
-- an account before its credentials as every statement here does, and takes what others may wait for last. The months are
-- the calendar's, in UTC, as everywhere.
DECLARE
    expired_before timestamptz := now() - make_interval(months => expired_months::integer);
    forgotten uuid[];
BEGIN
    -- least() passes over a NULL, and a batch of NULL would have no end.
    IF num_nulls(session_idle_seconds, session_ttl_seconds, refusal_hours, event_months, expired_months,
                 reserved_name_months, batch) > 0
        OR least(session_idle_seconds, session_ttl_seconds, refusal_hours, event_months, expired_months,
                 reserved_name_months, batch) < 1
    THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'purge: every number is 1 or more';
    END IF;

    DELETE FROM identity.event WHERE id = ANY (ARRAY(
        SELECT id FROM identity.event
        WHERE account_id IS NULL AND outcome <> 'ok' AND at <= now() - make_interval(hours => refusal_hours::integer)
        ORDER BY at LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'refusals that concern no account'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    DELETE FROM identity.event WHERE id = ANY (ARRAY(
        SELECT id FROM identity.event WHERE at <= now() - make_interval(months => event_months::integer)
        ORDER BY at LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'other events'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    DELETE FROM identity.reserved_name WHERE hash = ANY (ARRAY(
        SELECT hash FROM identity.reserved_name WHERE reserved_until <= now() LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'reserved names'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    DELETE FROM identity.renewal_token WHERE hash = ANY (ARRAY(
        SELECT hash FROM identity.renewal_token WHERE expires_at <= now() LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'renewal tokens'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    DELETE FROM identity.session WHERE hash = ANY (ARRAY(
        SELECT hash FROM identity.session
        WHERE NOT identity.session_is_young(session, session_ttl_seconds, session_idle_seconds)
        LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'sessions'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    -- Two statements, because the second one's snapshot is of after the lock: it sees the renewal token of a login that
    -- was faster.
    forgotten := ARRAY(
        SELECT account.id FROM identity.account JOIN identity.credential
            ON credential.account_id = account.id AND credential.id = account.credential_id
        WHERE credential.live AND credential.expires_at <= expired_before
            AND identity.purge_is_forgotten(account, credential, expired_before)
        ORDER BY credential.expires_at LIMIT batch FOR UPDATE OF account SKIP LOCKED);
    WITH gone AS (
        DELETE FROM identity.account USING identity.credential
        WHERE account.id = ANY (forgotten) AND credential.id = account.credential_id AND credential.account_id = account.id
            AND identity.purge_is_forgotten(account, credential, expired_before)
        RETURNING account.id, account.username),
    reserved AS (
        INSERT INTO identity.reserved_name (hash, reserved_until)
        SELECT identity.name_hash(username), now() + make_interval(months => reserved_name_months::integer) FROM gone
        ON CONFLICT (hash) DO UPDATE SET reserved_until = excluded.reserved_until)
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'remove', 'expired', id FROM gone;
    what := 'expired accounts'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    -- A newer renewal replaces the row that was found; the delete looks at it again. (A live one has no deadline.)
    DELETE FROM identity.credential WHERE deadline <= now() AND account_id = ANY (ARRAY(
        SELECT account.id FROM identity.account JOIN identity.credential ON credential.account_id = account.id
        WHERE NOT credential.live AND credential.deadline <= now() AND account.state <> 'pending'
        ORDER BY credential.deadline LIMIT batch FOR UPDATE OF account SKIP LOCKED));
    what := 'abandoned renewals'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;

    DELETE FROM identity.account WHERE id = ANY (ARRAY(
        SELECT id FROM identity.account WHERE pending_until <= now()
        ORDER BY pending_until LIMIT batch FOR UPDATE SKIP LOCKED));
    what := 'pending accounts'; GET DIAGNOSTICS removed = ROW_COUNT; RETURN NEXT;
END
