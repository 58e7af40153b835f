-- word (session identity.session, live identity.credential, owner identity.account, ttl_seconds bigint, idle_seconds bigint)
-- returns boolean
--
-- When a session is good: while its credential is the live and unexpired one of an active account, and until it ends by its
-- age or for want of use. Comparing its `id` lets PostgreSQL find the account by its primary key: `credential_id` has
-- no index of its own.
($2).id = ($1).credential_id AND ($3).id = ($2).account_id AND ($3).credential_id = ($2).id
AND ($3).state = 'active' AND ($2).expires_at > now()
AND identity.session_is_young($1, $4, $5)
