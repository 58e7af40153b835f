-- entry (session_hash bytea, ttl_seconds bigint, idle_seconds bigint)
-- returns (now bigint, account_id uuid, credential_id uuid, verifier bytea, verifier_algorithm bigint, totp_secret bytea)
--
-- Checks the session and touches it in one statement, as session/touch.sql does.
UPDATE identity.session SET last_seen_at = now()
FROM identity.credential, identity.account
WHERE session.hash = $1 AND identity.session_is_good(session, credential, account, $2, $3)
RETURNING identity.seconds(now()), account.id, credential.id, credential.verifier, credential.verifier_algorithm, credential.totp_secret
