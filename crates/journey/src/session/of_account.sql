-- routine (account_id uuid, ttl_seconds bigint, idle_seconds bigint)
-- returns (id uuid, created_at bigint, last_seen_at bigint, is_current boolean)
--
-- What session/list.sql returns, by an account: none of them asks. Those of an account that is not active are refused, and
-- still stored.
BEGIN
    RETURN QUERY
    SELECT session.id, identity.seconds(session.created_at), identity.seconds(session.last_seen_at), false
    FROM identity.session JOIN identity.credential ON credential.id = session.credential_id
    WHERE credential.account_id = $1 AND identity.session_is_young(session, $2, $3)
    ORDER BY session.created_at DESC, session.id;
END
