-- entry (hash bytea, ttl_seconds bigint, idle_seconds bigint)
-- returns (ended boolean)
WITH ended AS (
    DELETE FROM identity.session USING identity.credential AS live, identity.account AS owner
    WHERE session.hash = $1 AND identity.session_is_good(session, live, owner, $2, $3)
    RETURNING owner.id),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'logout', 'ok', id FROM ended)
SELECT true FROM ended
