-- word (wrong_codes bigint, first_wait_at bigint, longest_wait_minutes bigint)
-- returns interval
--
-- The wait that the n-th wrong code in a row earns, NULL where it earns none. The numbers are the domain's.
CASE WHEN $1 >= $2 THEN make_interval(mins => least($3, power(2, least($1 - $2, 30))::bigint)::integer) END
