-- entry (enrollment_hash bytea)
-- returns (now bigint, account_id uuid, username text, credential_id uuid, revision bigint, verifier bytea,
--     verifier_algorithm bigint, totp_secret bytea, reveal_expires_at bigint)
--
-- What an enrollment token opens: a start before its deadline, of an account that may still be activated. (What is live
-- has neither token nor deadline.)
SELECT identity.seconds(now()), account.id, account.username, credential.id, credential.revision, credential.verifier,
    credential.verifier_algorithm, credential.totp_secret, identity.seconds(credential.reveal_expires_at)
FROM identity.credential JOIN identity.account ON account.id = credential.account_id
WHERE credential.enrollment_hash = $1 AND credential.deadline > now()
    AND account.state IN ('pending', 'expired')
