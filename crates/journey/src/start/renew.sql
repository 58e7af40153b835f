-- entry (renewal_hash bytea, username text, credential_id uuid, enrollment_hash bytea, reveal_hash bytea,
--     start_ttl_seconds bigint, reveal_ttl_seconds bigint)
-- returns (outcome text, reveal_expires_at bigint)
--
-- The token is used up by a delete that carries all its conditions. The unconfirmed credential is upserted under a new
-- id: twenty renewals at once that deleted and inserted it would mostly end in a unique violation.
WITH owner AS (
    SELECT account.id
    FROM identity.renewal_token
    JOIN identity.credential ON credential.id = renewal_token.credential_id
    JOIN identity.account ON account.id = credential.account_id AND account.credential_id = credential.id
    WHERE renewal_token.hash = $1 AND account.username = $2 AND account.state = 'expired'
    FOR NO KEY UPDATE OF account),
used AS (
    DELETE FROM identity.renewal_token USING owner
    WHERE hash = $1 AND expires_at > now()
    RETURNING owner.id AS account_id),
draft AS (
    INSERT INTO identity.credential (id, account_id, live, deadline, enrollment_hash, reveal_hash, reveal_expires_at)
    SELECT $3, account_id, false, now() + make_interval(secs => $6), $4, $5,
        now() + make_interval(secs => least($6, $7))
    FROM used
    ON CONFLICT (account_id) WHERE NOT live DO UPDATE SET
        id = excluded.id,
        revision = credential.revision + 1,
        deadline = excluded.deadline,
        enrollment_hash = excluded.enrollment_hash,
        reveal_hash = excluded.reveal_hash,
        reveal_expires_at = excluded.reveal_expires_at,
        revealed_at = NULL, verifier = NULL, verifier_algorithm = NULL, totp_secret = NULL,
        wrong_codes = 0, locked_until = NULL
    RETURNING account_id, reveal_expires_at),
decision AS (
    SELECT draft.account_id, draft.reveal_expires_at,
        CASE WHEN draft.account_id IS NULL THEN 'token_invalid' ELSE 'ok' END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN draft ON true),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'renew', outcome, account_id FROM decision)
SELECT outcome, identity.seconds(reveal_expires_at) FROM decision
