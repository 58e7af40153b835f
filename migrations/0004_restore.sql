-- After a restore: what a backup brings back to life is ended. scripts/restore calls this in the transaction that restores;
-- whoever recovers PostgreSQL in another way (to a point in time, say) calls it before the service may connect.

-- New: restore (by an operator).
ALTER TABLE event
    DROP CONSTRAINT event_kind_is_known,
    ADD CONSTRAINT event_kind_is_known CHECK (kind IN (
        'start', 'new_code', 'renew', 'poll', 'reveal', 'enroll', 'activate', 'login', 'session', 'logout',
        'suspend', 'release', 'end_session', 'delete', 'remove', 'unreadable', 'restore'));

-- Ends every session, renewal token and start, and says how many of each there were: any of them may have been ended, used
-- or replaced after the backup. So may any code: none that a phone shows in this moment is taken, nor the one after it
-- (which a login takes early). Accounts stay what they are, suspended ones suspended.
--
-- Nobody else should be here. If somebody is, this waits for the statements that run, and those that come wait for this:
-- each of them locks the row of an account first. What they open afterwards is new. The search path is set because a
-- restore has none. The moment is that of the call: a restore began long before it.
CREATE FUNCTION close_after_restore() RETURNS TABLE (what text, ended bigint) LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    last_step_in_reach bigint;
BEGIN
    LOCK TABLE account IN EXCLUSIVE MODE;
    last_step_in_reach := floor(extract(epoch FROM clock_timestamp()) / 30)::bigint + 1;

    DELETE FROM session;
    what := 'sessions'; GET DIAGNOSTICS ended = ROW_COUNT; RETURN NEXT;

    DELETE FROM renewal_token;
    what := 'renewal tokens'; GET DIAGNOSTICS ended = ROW_COUNT; RETURN NEXT;

    DELETE FROM account WHERE state = 'pending';
    what := 'pending accounts'; GET DIAGNOSTICS ended = ROW_COUNT; RETURN NEXT;

    DELETE FROM credential WHERE NOT live;
    what := 'renewals'; GET DIAGNOSTICS ended = ROW_COUNT; RETURN NEXT;

    UPDATE credential SET last_step = last_step_in_reach WHERE last_step < last_step_in_reach;
    INSERT INTO event (kind, outcome) VALUES ('restore', 'ok');
END
$$;

REVOKE ALL ON FUNCTION close_after_restore() FROM PUBLIC;
