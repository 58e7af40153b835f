-- word (at timestamptz)
-- returns bigint
--
-- How long it is until then, in whole seconds, rounded up: who waits so long does not come too early.
ceil(extract(epoch FROM $1 - now()))::bigint
