-- helper (owner_id uuid, since timestamptz)
-- returns bigint
--
-- What an owner is told at the next login. Refused deletions count with the logins: both are guesses at the same secrets.
-- Counted up to a thousand, so that a flood of guesses slows no login down.
SELECT count(*) FROM (
    SELECT FROM identity.event
    WHERE event.account_id = $1 AND event.kind IN ('login', 'delete') AND event.outcome NOT IN ('ok', 'expired')
        AND event.at > coalesce($2, '-infinity')
    LIMIT 1000) AS failed
