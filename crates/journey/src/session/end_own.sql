-- entry (hash bytea, ttl_seconds bigint, idle_seconds bigint, session_id uuid)
-- returns (outcome text, was_current boolean)
--
-- The account's row is locked first, so that sessions that end each other, and a deletion beside them, come one after
-- the other and never deadlock. Of two that end each other one wins.
-- Locked are the session that asks and the one that is asked about, if both are good and of one account.
WITH owner AS (
    SELECT account AS locked
    FROM identity.session
    JOIN identity.credential ON credential.id = session.credential_id
    JOIN identity.account ON account.id = credential.account_id AND account.credential_id = credential.id
    WHERE session.hash = $1
    FOR NO KEY UPDATE OF account),
good AS (
    SELECT session.id, session.hash = $1 AS is_current
    FROM owner
    JOIN identity.credential ON credential.id = (owner.locked).credential_id
    JOIN identity.session ON session.credential_id = credential.id
    WHERE (session.hash = $1 OR session.id = $4)
        AND identity.session_is_good(session, credential, owner.locked, $2, $3)
    FOR UPDATE OF session),
decision AS MATERIALIZED (
    SELECT coalesce(bool_or(is_current AND id = $4), false) AS was_current, CASE
        WHEN NOT coalesce(bool_or(is_current), false) THEN 'session_invalid'
        WHEN NOT bool_or(id = $4) THEN 'session_unknown'
        ELSE 'ok' END AS outcome
    FROM good),
ended AS (
    DELETE FROM identity.session USING decision WHERE outcome = 'ok' AND session.id = $4),
used AS (
    UPDATE identity.session SET last_seen_at = now() FROM decision
    WHERE outcome <> 'session_invalid' AND NOT was_current AND session.hash = $1),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id)
    SELECT 'end_session', outcome, (owner.locked).id FROM decision LEFT JOIN owner ON true)
SELECT outcome, was_current FROM decision
