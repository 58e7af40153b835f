-- entry ()
-- returns (now bigint)
--
-- Functions of the release: {functions}. That digest is a part of this text, and so of this function's name: it is there
-- only where the migration of exactly this release has installed all of them, in one transaction. The lock is of no row:
-- a database that may not be written to, such as a standby's, refuses it, and can serve nothing here. What it returns is
-- the time of this moment, to be compared; everything else that is wrong is an error.
SELECT identity.seconds(clock_timestamp())
FROM (SELECT count(*) FROM (SELECT FROM identity.account LIMIT 0 FOR NO KEY UPDATE) AS writable) AS one
