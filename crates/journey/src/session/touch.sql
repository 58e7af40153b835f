-- entry (hash bytea, ttl_seconds bigint, idle_seconds bigint)
-- returns (username text, expires_at bigint, session_expires_at bigint, previous_login_at bigint, failed_before bigint)
--
-- The check is the touch: one statement, and a session that ended meanwhile is not touched.
UPDATE identity.session SET last_seen_at = now()
FROM identity.credential AS live, identity.account AS owner
WHERE session.hash = $1 AND identity.session_is_good(session, live, owner, $2, $3)
RETURNING owner.username, identity.seconds(live.expires_at),
    identity.seconds(least(
        live.expires_at,
        session.created_at + make_interval(secs => $2),
        now() + make_interval(secs => $3))),
    identity.seconds(session.previous_login_at), session.failed_before
