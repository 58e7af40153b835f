-- entry (account_id uuid, credential_id uuid, enrollment_hash bytea, reveal_hash bytea, reveal_ttl_seconds bigint)
-- returns (outcome text, reveal_expires_at bigint)
--
-- A new code is an update of the same unconfirmed credential: the old code, a password that it may have given to
-- somebody and an unconfirmed secret go in the same write. What was counted against the start stays counted.
WITH owner AS (
    SELECT id FROM identity.account WHERE id = $1 AND state IN ('pending', 'expired') FOR NO KEY UPDATE),
replaced AS (
    UPDATE identity.credential SET
        reveal_hash = $4,
        reveal_expires_at = least(deadline, now() + make_interval(secs => $5)),
        revealed_at = NULL, verifier = NULL, verifier_algorithm = NULL, totp_secret = NULL,
        revision = revision + 1
    FROM owner
    WHERE account_id = owner.id AND credential.id = $2 AND enrollment_hash = $3 AND deadline > now()
    RETURNING reveal_expires_at),
decision AS (
    SELECT replaced.reveal_expires_at,
        CASE WHEN replaced.reveal_expires_at IS NULL THEN 'token_invalid' ELSE 'ok' END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN replaced ON true),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'new_code', outcome, $1 FROM decision)
SELECT outcome, identity.seconds(reveal_expires_at) FROM decision
