-- entry (hash bytea, ttl_seconds bigint, idle_seconds bigint)
-- returns (ended boolean)
WITH ended AS (
    DELETE FROM identity.session USING identity.credential, identity.account
    WHERE session.hash = $1 AND identity.session_is_good(session, credential, account, $2, $3)
    RETURNING account.id),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'logout', 'ok', id FROM ended)
SELECT true FROM ended
