-- entry (account_id uuid, credential_id uuid, revision bigint, totp_secret bytea)
-- returns (outcome text)
--
-- The revision that the load saw must still stand: otherwise a new code, and with it another password or none, may
-- have come between.
WITH owner AS (
    SELECT id, state FROM identity.account WHERE id = $1 FOR NO KEY UPDATE),
draft AS (
    SELECT credential.id, credential.revision, credential.deadline, owner.state
    FROM identity.credential JOIN owner ON credential.account_id = owner.id
    WHERE credential.id = $2 AND NOT credential.live
    FOR NO KEY UPDATE OF credential),
decision AS MATERIALIZED (
    SELECT draft.id, CASE
        WHEN draft.id IS NULL OR draft.revision <> $3 THEN 'superseded'
        WHEN draft.deadline <= now() OR draft.state NOT IN ('pending', 'expired') THEN 'token_invalid'
        ELSE 'ok' END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN draft ON true),
issued AS (
    UPDATE identity.credential SET totp_secret = $4, revision = revision + 1
    FROM decision
    WHERE decision.outcome = 'ok' AND credential.id = decision.id),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'enroll', outcome, $1 FROM decision)
SELECT outcome FROM decision
