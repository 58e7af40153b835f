-- helper (owner_id uuid, since timestamptz)
-- returns bigint
-- set enable_seqscan = off, enable_bitmapscan = off
--
-- What an owner is told at the next login. Refused deletions count with the logins: both are guesses at the same secrets.
-- Counted up to a thousand, so that a flood of guesses slows no login down. The pair is compared, and two kinds of plans are
-- off, so that PostgreSQL can only walk the index by account and time: of a flood it would expect that other ways find a
-- thousand sooner.
SELECT count(*) FROM (
    SELECT FROM identity.event
    WHERE event.account_id = $1 AND (event.account_id, event.at) > ($1, coalesce($2, '-infinity'))
        AND event.kind IN ('login', 'delete') AND event.outcome NOT IN ('ok', 'expired')
    LIMIT 1000) AS failed
