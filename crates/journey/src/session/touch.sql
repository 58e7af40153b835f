-- entry (hash bytea, ttl_seconds bigint, idle_seconds bigint)
-- returns (username text, expires_at bigint, session_expires_at bigint, previous_login_at bigint, failed_before bigint)
--
-- The check is the touch: one statement, and a session that ended meanwhile is not touched.
UPDATE identity.session SET last_seen_at = now()
FROM identity.credential, identity.account
WHERE session.hash = $1 AND identity.session_is_good(session, credential, account, $2, $3)
RETURNING account.username, identity.seconds(credential.expires_at),
    identity.seconds(least(
        credential.expires_at,
        session.created_at + make_interval(secs => $2),
        now() + make_interval(secs => $3))),
    identity.seconds(session.previous_login_at), session.failed_before
