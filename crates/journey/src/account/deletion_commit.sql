-- entry (account_id uuid, credential_id uuid, step bigint, session_hash bytea, ttl_seconds bigint, idle_seconds bigint,
--     first_wait_at bigint, longest_wait_minutes bigint, suspends_at bigint, reserved_months bigint)
-- returns (outcome text, retry_after bigint)
--
-- As at a login: the account's row is locked first, then the credential's, then the session's, and all is decided from
-- them. What belongs to the account goes by foreign key, with what came in while this waited for the lock.
WITH owner AS (
    SELECT id, username, state, wrong_codes, locked_until FROM identity.account WHERE id = $1 FOR UPDATE),
live AS (
    SELECT credential.id, credential.last_step, credential.expires_at
    FROM identity.credential JOIN owner ON credential.account_id = owner.id
    WHERE credential.id = $2 AND credential.live
    FOR UPDATE OF credential),
asking AS (
    SELECT session.id FROM identity.session JOIN live ON session.credential_id = live.id
    WHERE session.hash = $4 AND identity.session_is_young(session, $5, $6)
    FOR UPDATE OF session),
decision AS MATERIALIZED (
    SELECT owner.username, owner.locked_until, CASE
        WHEN asking.id IS NULL THEN 'session_invalid'
        WHEN owner.state = 'suspended' THEN 'suspended'
        WHEN owner.state <> 'active' OR live.expires_at <= now() THEN 'session_invalid'
        WHEN owner.locked_until > now() THEN 'waiting'
        WHEN $3 <= live.last_step THEN 'reused_code'
        WHEN $3 IS NOT NULL THEN 'ok'
        ELSE identity.after_wrong_code(owner.wrong_codes + 1, $7, $9, 'wrong_code_suspends') END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN owner ON true LEFT JOIN live ON true LEFT JOIN asking ON true),
counted AS (
    UPDATE identity.account SET
        wrong_codes = account.wrong_codes + 1,
        locked_until = CASE WHEN outcome = 'wrong_code_locks'
            THEN now() + identity.wait_after_wrong_codes(account.wrong_codes + 1, $7, $8) END,
        state = CASE WHEN outcome = 'wrong_code_suspends' THEN 'suspended' ELSE state END
    FROM decision
    WHERE starts_with(outcome, 'wrong_code') AND account.id = $1),
deleted AS (
    DELETE FROM identity.account USING decision WHERE outcome = 'ok' AND account.id = $1),
reserved AS (
    INSERT INTO identity.reserved_name (hash, reserved_until)
    SELECT identity.name_hash(username), now() + make_interval(months => $10::integer)
    FROM decision WHERE outcome = 'ok'),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'delete', outcome, $1 FROM decision)
SELECT outcome, identity.seconds_until(locked_until) FROM decision
