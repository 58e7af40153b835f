-- entry (session_hash bytea, ttl_seconds bigint, idle_seconds bigint)
-- returns (account_id uuid, username text, state text, created_at bigint, last_login_at bigint, wrong_codes bigint,
--     locked_until bigint, revealed_at bigint, expires_at bigint, last_step bigint, has_draft boolean,
--     draft_revealed_at bigint, draft_code_expires_at bigint, draft_deadline bigint, draft_wrong_codes bigint,
--     draft_locked_until bigint)
--
-- The check of the session is the touch, as everywhere.
UPDATE identity.session SET last_seen_at = now()
FROM identity.credential AS live, identity.account AS owner
    LEFT JOIN identity.credential AS draft ON draft.account_id = owner.id AND NOT draft.live
WHERE session.hash = $1 AND identity.session_is_good(session, live, owner, $2, $3)
RETURNING owner.id, owner.username, owner.state, identity.seconds(owner.created_at),
    identity.seconds(owner.last_login_at), owner.wrong_codes::bigint, identity.seconds(owner.locked_until),
    identity.seconds(live.revealed_at), identity.seconds(live.expires_at), live.last_step,
    draft.id IS NOT NULL, identity.seconds(draft.revealed_at), identity.seconds(draft.reveal_expires_at),
    identity.seconds(draft.deadline), draft.wrong_codes::bigint, identity.seconds(draft.locked_until)
