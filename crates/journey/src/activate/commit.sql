-- entry (account_id uuid, credential_id uuid, revision bigint, step bigint, expires_at bigint, session_hash bytea,
--     session_id uuid, first_wait_at bigint, longest_wait_minutes bigint, ends_start_at bigint)
-- returns (outcome text, username text, retry_after bigint, expires_at bigint)
--
-- The old live credential is deleted before the new one is made live (reading the count of what was deleted
-- forces that order), because there is at most one live credential at any moment; its sessions and renewal tokens go with it. Every check is on locked rows. The
-- step is NULL when the code is wrong.
WITH owner AS (
    SELECT id, username, state, last_login_at FROM identity.account WHERE id = $1 FOR NO KEY UPDATE),
draft AS (
    SELECT credential.id, credential.revision, credential.deadline, credential.wrong_codes, credential.locked_until
    FROM identity.credential JOIN owner ON credential.account_id = owner.id
    WHERE credential.id = $2 AND NOT credential.live
    FOR UPDATE OF credential),
decision AS MATERIALIZED (
    SELECT draft.id, draft.wrong_codes, draft.locked_until, owner.username, owner.last_login_at, CASE
        WHEN draft.id IS NULL OR draft.revision <> $3 THEN 'superseded'
        WHEN draft.deadline <= now() OR owner.state NOT IN ('pending', 'expired') THEN 'token_invalid'
        WHEN draft.locked_until > now() THEN 'waiting'
        WHEN $4 IS NOT NULL THEN 'ok'
        ELSE identity.after_wrong_code(draft.wrong_codes + 1, $8, $10, 'wrong_code_ends_start') END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN owner ON true LEFT JOIN draft ON true),
counted AS (
    UPDATE identity.credential SET
        wrong_codes = credential.wrong_codes + 1,
        locked_until = CASE WHEN outcome = 'wrong_code_locks'
            THEN now() + identity.wait_after_wrong_codes(credential.wrong_codes + 1, $8, $9) END,
        deadline = CASE WHEN outcome = 'wrong_code_ends_start' THEN now() ELSE deadline END,
        reveal_expires_at = CASE WHEN outcome = 'wrong_code_ends_start' THEN least(reveal_expires_at, now())
            ELSE reveal_expires_at END,
        revision = revision + 1
    FROM decision
    WHERE starts_with(outcome, 'wrong_code') AND credential.id = decision.id),
ended AS (
    UPDATE identity.account SET pending_until = now() FROM decision
    WHERE outcome = 'wrong_code_ends_start' AND account.id = $1 AND account.state = 'pending'),
replaced AS (
    DELETE FROM identity.credential USING decision
    WHERE outcome = 'ok' AND account_id = $1 AND live
    RETURNING credential.id),
activated AS (
    UPDATE identity.credential SET
        live = true, last_step = $4, expires_at = to_timestamp($5),
        deadline = NULL, enrollment_hash = NULL, wrong_codes = 0, locked_until = NULL, revision = revision + 1
    FROM decision, (SELECT count(*) FROM replaced) AS gone
    WHERE outcome = 'ok' AND credential.id = decision.id
    RETURNING credential.id, credential.expires_at),
opened AS (
    UPDATE identity.account SET
        state = 'active', pending_until = NULL, credential_id = activated.id,
        wrong_codes = 0, locked_until = NULL, last_login_at = now()
    FROM activated WHERE account.id = $1),
signed_in AS (
    INSERT INTO identity.session (hash, id, credential_id, previous_login_at, failed_before)
    SELECT $6, $7, activated.id, last_login_at, identity.failed_logins_since($1, last_login_at)
    FROM activated, decision),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'activate', outcome, $1 FROM decision)
SELECT outcome, username, identity.seconds_until(locked_until),
    (SELECT identity.seconds(expires_at) FROM activated)
FROM decision
