-- entry (account_id uuid, credential_id uuid, reveal_hash bytea, verifier bytea, verifier_algorithm bigint)
-- returns (outcome text)
--
-- The code's hash stands for the revision here: a new code and a newer start both change it.
WITH owner AS (
    SELECT id, state FROM identity.account WHERE id = $1 FOR NO KEY UPDATE),
draft AS (
    SELECT credential.id, credential.revealed_at, credential.reveal_expires_at, owner.state
    FROM identity.credential JOIN owner ON credential.account_id = owner.id
    WHERE credential.id = $2 AND credential.reveal_hash = $3
    FOR NO KEY UPDATE OF credential),
decision AS MATERIALIZED (
    SELECT draft.id, CASE
        WHEN draft.id IS NULL THEN 'token_unknown'
        WHEN draft.revealed_at IS NOT NULL THEN 'token_used'
        WHEN draft.state NOT IN ('pending', 'expired') THEN 'token_unknown'
        WHEN draft.reveal_expires_at <= now() THEN 'token_expired'
        ELSE 'ok' END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN draft ON true),
revealed AS (
    UPDATE identity.credential SET
        verifier = $4, verifier_algorithm = $5, revealed_at = now(), revision = revision + 1
    FROM decision
    WHERE decision.outcome = 'ok' AND credential.id = decision.id),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'reveal', outcome, $1 FROM decision)
SELECT outcome FROM decision
