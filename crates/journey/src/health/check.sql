-- entry ()
-- returns (answered boolean)
--
-- Functions of the release: {functions}. That digest is a part of this text, and so of this function's name: it is there
-- only where the migration of exactly this release has installed all of them, in one transaction. The lock is of no row:
-- a database that may not be written to, such as a standby's, refuses it, and can serve nothing here. Only an error
-- says no.
SELECT count(*) = 0 FROM (SELECT FROM identity.account LIMIT 0 FOR NO KEY UPDATE) AS writable
