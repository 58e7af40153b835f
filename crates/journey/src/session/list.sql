-- entry (hash bytea, ttl_seconds bigint, idle_seconds bigint)
-- returns (id uuid, created_at bigint, last_seen_at bigint, is_current boolean)
--
-- The session that asks is checked and touched in one statement. The rest is a look at the snapshot of before it, which is why the asking session's
-- own use is put in by hand. Every session has used up a code of its own, so twelve hours hold some 1,440 at the most.
WITH asking AS (
    UPDATE identity.session SET last_seen_at = now()
    FROM identity.credential, identity.account
    WHERE session.hash = $1 AND identity.session_is_good(session, credential, account, $2, $3)
    RETURNING session.id, session.credential_id)
SELECT session.id, identity.seconds(session.created_at),
    identity.seconds(CASE WHEN session.id = asking.id THEN now() ELSE session.last_seen_at END),
    session.id = asking.id
FROM asking JOIN identity.session ON session.credential_id = asking.credential_id
WHERE identity.session_is_young(session, $2, $3)
ORDER BY session.created_at DESC, session.id
