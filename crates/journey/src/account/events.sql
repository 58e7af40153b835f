-- entry (account_id uuid, shown bigint, counted_beyond bigint)
-- returns (kind text, outcome text, at bigint, older bigint)
-- set enable_seqscan = off, enable_bitmapscan = off
--
-- However many events there are, as many are read as are shown and counted: it walks the index by account and time, and
-- stops. For that two kinds of plans are off, and the account is a range of one, which no other index can bring in order.
SELECT newest.kind, newest.outcome, identity.seconds(newest.at), greatest(count(*) OVER () - $2, 0)
FROM (
    SELECT * FROM identity.event WHERE event.account_id BETWEEN $1 AND $1
    ORDER BY event.account_id DESC, event.at DESC LIMIT $2 + $3) AS newest
ORDER BY newest.at DESC, newest.id DESC
LIMIT $2
