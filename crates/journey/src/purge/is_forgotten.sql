-- helper (owner identity.account, credentials identity.credential, expired_before timestamptz)
-- returns boolean
--
-- Whether the credentials of an account ended before this time, and nobody is about to renew them. A suspended account
-- is not forgotten: it waits for its operator.
SELECT ($1).state IN ('active', 'expired') AND ($2).expires_at <= $3
    AND NOT EXISTS (
        SELECT FROM identity.credential WHERE account_id = ($1).id AND NOT live AND deadline > now())
    AND NOT EXISTS (
        SELECT FROM identity.renewal_token WHERE credential_id = ($2).id AND expires_at > now())
