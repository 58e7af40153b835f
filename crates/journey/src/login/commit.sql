-- entry (account_id uuid, credential_id uuid, step bigint, session_hash bytea, session_id uuid, renewal_hash bytea,
--     first_wait_at bigint, longest_wait_minutes bigint, suspends_at bigint, renewal_ttl_seconds bigint)
-- returns (outcome text, username text, expires_at bigint, retry_after bigint)
--
-- The account row is locked first and everything is decided from it and the credential's row, locked after it: who
-- waited for the lock sees what the one before has counted, used or replaced. `now()` is when the statement began, so a
-- wait that was set in between is not over. The step is NULL when the code is wrong.
WITH owner AS (
    SELECT id, username, state, wrong_codes, locked_until, last_login_at FROM identity.account WHERE id = $1
    FOR NO KEY UPDATE),
live AS (
    SELECT credential.id, credential.last_step, credential.expires_at
    FROM identity.credential JOIN owner ON credential.account_id = owner.id
    WHERE credential.id = $2 AND credential.live
    FOR NO KEY UPDATE OF credential),
decision AS MATERIALIZED (
    SELECT live.id, live.expires_at, owner.username, owner.locked_until, owner.last_login_at, CASE
        WHEN live.id IS NULL THEN 'stale'
        WHEN owner.state = 'suspended' THEN 'suspended'
        WHEN owner.locked_until > now() THEN 'waiting'
        WHEN $3 <= live.last_step THEN 'reused_code'
        WHEN $3 IS NOT NULL AND (owner.state = 'expired' OR live.expires_at <= now()) THEN 'expired'
        WHEN $3 IS NOT NULL THEN 'ok'
        ELSE identity.after_wrong_code(owner.wrong_codes + 1, $7, $9, 'wrong_code_suspends') END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN owner ON true LEFT JOIN live ON true),
counted AS (
    UPDATE identity.account SET
        wrong_codes = account.wrong_codes + 1,
        locked_until = CASE WHEN outcome = 'wrong_code_locks'
            THEN now() + identity.wait_after_wrong_codes(account.wrong_codes + 1, $7, $8) END,
        state = CASE WHEN outcome = 'wrong_code_suspends' THEN 'suspended' ELSE state END
    FROM decision
    WHERE starts_with(outcome, 'wrong_code') AND account.id = $1),
accepted AS (
    UPDATE identity.account SET
        wrong_codes = 0, locked_until = NULL,
        state = CASE WHEN outcome = 'expired' THEN 'expired' ELSE state END,
        last_login_at = CASE WHEN outcome = 'ok' THEN now() ELSE account.last_login_at END
    FROM decision
    WHERE outcome IN ('ok', 'expired') AND account.id = $1),
used AS (
    UPDATE identity.credential SET last_step = $3
    FROM decision
    WHERE outcome IN ('ok', 'expired') AND credential.id = decision.id),
signed_in AS (
    INSERT INTO identity.session (hash, id, credential_id, previous_login_at, failed_before)
    SELECT $4, $5, id, last_login_at, identity.failed_logins_since($1, last_login_at) FROM decision WHERE outcome = 'ok'),
renewal AS (
    INSERT INTO identity.renewal_token (hash, credential_id, expires_at)
    SELECT $6, id, now() + make_interval(secs => $10) FROM decision WHERE outcome = 'expired'),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'login', outcome, $1 FROM decision)
SELECT outcome, username, identity.seconds(expires_at), identity.seconds_until(locked_until)
FROM decision
