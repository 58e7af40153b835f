-- routine (name text)
-- returns (account_id uuid, username text, state text, created_at bigint, last_login_at bigint, wrong_codes bigint,
--     locked_until bigint, revealed_at bigint, expires_at bigint, last_step bigint, has_draft boolean,
--     draft_revealed_at bigint, draft_code_expires_at bigint, draft_deadline bigint, draft_wrong_codes bigint,
--     draft_locked_until bigint)
--
-- What account/load.sql returns, by a name and whatever the state: an account that was never activated has no credential.
BEGIN
    RETURN QUERY
    SELECT account.id, account.username, account.state, identity.seconds(account.created_at),
        identity.seconds(account.last_login_at), account.wrong_codes::bigint, identity.seconds(account.locked_until),
        identity.seconds(credential.revealed_at), identity.seconds(credential.expires_at), credential.last_step,
        draft.id IS NOT NULL, identity.seconds(draft.revealed_at), identity.seconds(draft.reveal_expires_at),
        identity.seconds(draft.deadline), draft.wrong_codes::bigint, identity.seconds(draft.locked_until)
    FROM identity.account
        LEFT JOIN identity.credential ON credential.id = account.credential_id
        LEFT JOIN identity.credential AS draft ON draft.account_id = account.id AND NOT draft.live
    WHERE account.username = $1;
END
