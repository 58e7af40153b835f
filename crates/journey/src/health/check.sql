-- entry (callable text)
-- returns (is_ready boolean)
--
-- Whether the application's role may call every function of this release, given as their signatures between semicolons:
-- a release whose migration has not run serves nobody. The lock is of no row: a database that may not be written to,
-- such as a standby's, refuses it, and can serve nothing here.
SELECT bool_and(coalesce(has_function_privilege(session_user, to_regprocedure(signature), 'EXECUTE'), false))
FROM unnest(string_to_array($1, ';')) AS signature,
    LATERAL (SELECT count(*) FROM (SELECT FROM identity.account LIMIT 0 FOR NO KEY UPDATE) AS writable) AS always
