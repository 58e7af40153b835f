-- entry (reveal_hash bytea)
-- returns (now bigint, account_id uuid, username text, credential_id uuid, is_revealed boolean, expires_at bigint)
--
-- Live credentials are found too: a code that was used goes on saying so after the activation. The code of a start
-- whose account may no longer be activated is as unknown as one that never was, unless it was used.
SELECT identity.seconds(now()), account.id, account.username, credential.id, credential.revealed_at IS NOT NULL,
    identity.seconds(credential.reveal_expires_at)
FROM identity.credential JOIN identity.account ON account.id = credential.account_id
WHERE credential.reveal_hash = $1
    AND (credential.revealed_at IS NOT NULL OR account.state IN ('pending', 'expired'))
