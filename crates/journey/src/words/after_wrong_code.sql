-- word (wrong_codes bigint, first_wait_at bigint, stop_at bigint, stops text)
-- returns text
--
-- What the n-th wrong code in a row comes to: the outcome that its event has. `stops` is the one at wrong code
-- number `stop_at` and after.
CASE WHEN $1 >= $3 THEN $4 WHEN $1 >= $2 THEN 'wrong_code_locks' ELSE 'wrong_code' END
