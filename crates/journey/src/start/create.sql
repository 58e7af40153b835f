-- entry (account_id uuid, username text, credential_id uuid, enrollment_hash bytea, reveal_hash bytea,
--     start_ttl_seconds bigint, reveal_ttl_seconds bigint)
-- returns (outcome text, reveal_expires_at bigint)
--
-- A dead pending account of that name goes first (no other has `pending_until`): the insert depends on the count of what
-- was deleted, since without that dependency PostgreSQL may run it before, and both would be lost. Who comes second finds
-- the name taken. A name that was reserved after this began, while it waited for the deletion, is refused by a trigger.
WITH dead AS (
    DELETE FROM identity.account WHERE username = $2 AND pending_until <= now() RETURNING id),
created AS (
    INSERT INTO identity.account (id, username, state, pending_until)
    SELECT $1, $2, 'pending', now() + make_interval(secs => $6) FROM (SELECT count(*) FROM dead) AS gone
    WHERE NOT EXISTS (
        SELECT FROM identity.reserved_name WHERE hash = identity.name_hash($2) AND reserved_until > now())
    ON CONFLICT (username) DO NOTHING
    RETURNING id, pending_until),
draft AS (
    INSERT INTO identity.credential (id, account_id, live, deadline, enrollment_hash, reveal_hash, reveal_expires_at)
    SELECT $3, id, false, pending_until, $4, $5, least(pending_until, now() + make_interval(secs => $7)) FROM created
    RETURNING account_id, reveal_expires_at),
decision AS (
    SELECT draft.account_id, draft.reveal_expires_at,
        CASE WHEN draft.account_id IS NULL THEN 'username_taken' ELSE 'ok' END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN draft ON true),
recorded AS (
    INSERT INTO identity.event (kind, outcome, account_id) SELECT 'start', outcome, account_id FROM decision)
SELECT outcome, identity.seconds(reveal_expires_at) FROM decision
