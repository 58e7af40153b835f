-- routine (name text, reserved_months bigint)
-- returns (credentials bigint, sessions bigint, renewal_tokens bigint, events bigint, reserved_until bigint)
--
-- Erases an account, whatever its state, for an owner who cannot do it: what account/deletion_commit.sql does, without a
-- proof. It says how much of each went with the account, how many events stay, and until when the name is reserved. As by
-- the purge, the name of an account that was never activated is not: nobody knows its owner by it. No row: there is no
-- such account.
BEGIN
    RETURN QUERY
    WITH erased AS (DELETE FROM identity.account WHERE username = $1 RETURNING id, username, state),
    reserved AS (
        INSERT INTO identity.reserved_name (hash, reserved_until)
        SELECT identity.name_hash(username), now() + make_interval(months => $2::integer)
        FROM erased WHERE state <> 'pending'
        ON CONFLICT (hash) DO UPDATE SET reserved_until = excluded.reserved_until
        RETURNING reserved_name.reserved_until),
    recorded AS (
        INSERT INTO identity.event (kind, outcome, account_id) SELECT 'erase', 'ok', id FROM erased)
    SELECT count(DISTINCT credential.id), count(DISTINCT session.id), count(DISTINCT renewal_token.hash),
        -- Beside those of before, its own.
        1 + (SELECT count(*) FROM identity.event WHERE event.account_id = erased.id),
        (SELECT identity.seconds(reserved.reserved_until) FROM reserved)
    FROM erased
        LEFT JOIN identity.credential ON credential.account_id = erased.id
        LEFT JOIN identity.session ON session.credential_id = credential.id
        LEFT JOIN identity.renewal_token ON renewal_token.credential_id = credential.id
    GROUP BY erased.id;
END
