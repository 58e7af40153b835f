-- entry (account_id uuid, shown bigint, counted_beyond bigint)
-- returns (kind text, outcome text, at bigint, older bigint)
-- set enable_seqscan = off, enable_bitmapscan = off
--
-- However many events there are, as many are read as are shown and counted: it walks the index and stops. (Statistics that
-- are not up to date would otherwise make a flood of guesses be read whole.)
SELECT newest.kind, newest.outcome, identity.seconds(newest.at), greatest(count(*) OVER () - $2, 0)
FROM (
    SELECT * FROM identity.event WHERE event.account_id = $1 ORDER BY event.at DESC LIMIT $2 + $3) AS newest
ORDER BY newest.at DESC, newest.id DESC
LIMIT $2
