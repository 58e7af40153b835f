-- entry (session_hash bytea, ttl_seconds bigint, idle_seconds bigint)
-- returns (now bigint, account_id uuid, credential_id uuid, verifier bytea, verifier_algorithm bigint, totp_secret bytea)
--
-- The check of the session is the touch, as everywhere.
UPDATE identity.session SET last_seen_at = now()
FROM identity.credential AS live, identity.account AS owner
WHERE session.hash = $1 AND identity.session_is_good(session, live, owner, $2, $3)
RETURNING identity.seconds(now()), owner.id, live.id, live.verifier, live.verifier_algorithm, live.totp_secret
