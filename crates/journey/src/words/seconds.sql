-- word (at timestamptz)
-- returns bigint
--
-- A point in time in whole seconds since the epoch, rounded down: `::bigint` alone rounds to the nearest, and a TOTP step
-- would begin half a second early. (Spin cannot read `timestamptz`.)
floor(extract(epoch FROM $1))::bigint
