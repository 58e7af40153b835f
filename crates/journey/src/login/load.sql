-- entry (username text)
-- returns (now bigint, account_id uuid, credential_id uuid, verifier bytea, verifier_algorithm bigint, totp_secret bytea)
--
-- One row for every name, known or not: an unknown one must cost the same.
SELECT identity.seconds(now()), account.id, credential.id, credential.verifier, credential.verifier_algorithm,
    credential.totp_secret
FROM (SELECT 1) AS always
LEFT JOIN identity.account ON account.username = $1
LEFT JOIN identity.credential ON credential.id = account.credential_id
