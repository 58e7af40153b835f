-- word (session identity.session, ttl_seconds bigint, idle_seconds bigint)
-- returns boolean
--
-- Whether a session has ended neither by its age nor for want of use.
($1).created_at > now() - make_interval(secs => $2) AND ($1).last_seen_at > now() - make_interval(secs => $3)
