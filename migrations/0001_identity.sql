-- The tables of the service. What may never be true is refused here, whatever a statement says.
--
-- Points in time are timestamptz and come from now(): there is one clock, the database's.
-- Sealed columns (bytea) are AES-256-GCM blobs that only the components can open.
-- Tokens are stored as their SHA-256 and nothing else.

CREATE TABLE account (
    id uuid PRIMARY KEY,
    username text NOT NULL
        CONSTRAINT account_username_is_free UNIQUE
        CONSTRAINT account_username_is_canonical CHECK (username ~ '^[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]$'),
    state text NOT NULL
        CONSTRAINT account_state_is_known CHECK (state IN ('pending', 'active', 'expired', 'suspended')),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The deadline of the start that made the account; past it the account is as if it had never been.
    pending_until timestamptz,
    -- The live credential. Generated beside it: true, so that the foreign key below can insist on a live one.
    credential_id uuid,
    credential_is_live boolean GENERATED ALWAYS AS (CASE WHEN credential_id IS NOT NULL THEN true END) STORED,
    -- Wrong codes after right passwords, in a row, and the wait that they have earned.
    wrong_codes integer NOT NULL DEFAULT 0
        CONSTRAINT account_wrong_codes_are_counted CHECK (wrong_codes >= 0),
    locked_until timestamptz,
    last_login_at timestamptz,
    CONSTRAINT account_pending_has_a_deadline CHECK ((state = 'pending') = (pending_until IS NOT NULL)),
    CONSTRAINT account_activated_has_a_credential CHECK ((state = 'pending') = (credential_id IS NULL))
);

CREATE TABLE credential (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    -- false: unconfirmed, made by a start. true: confirmed with a password and a first code.
    live boolean NOT NULL,
    -- Grows with every write to an unconfirmed credential, so that a commit can name what its load saw.
    revision bigint NOT NULL DEFAULT 1,
    -- The start's deadline.
    deadline timestamptz,
    enrollment_hash bytea
        CONSTRAINT credential_enrollment_hash_is_unique UNIQUE
        CONSTRAINT credential_enrollment_hash_is_sha256 CHECK (octet_length(enrollment_hash) = 32),
    -- Kept after activation too: a code that was used must go on saying so.
    reveal_hash bytea NOT NULL
        CONSTRAINT credential_reveal_hash_is_unique UNIQUE
        CONSTRAINT credential_reveal_hash_is_sha256 CHECK (octet_length(reveal_hash) = 32),
    reveal_expires_at timestamptz NOT NULL,
    revealed_at timestamptz,
    verifier bytea,
    -- Which construction the verifier uses; 1 is the salted HMAC-SHA-256.
    verifier_algorithm bigint,
    totp_secret bytea,
    -- The newest TOTP step that was accepted.
    last_step bigint,
    expires_at timestamptz,
    -- Wrong codes at activation count on the start, not on the account.
    wrong_codes integer NOT NULL DEFAULT 0
        CONSTRAINT credential_wrong_codes_are_counted CHECK (wrong_codes >= 0),
    locked_until timestamptz,
    CONSTRAINT credential_revealed_has_a_verifier CHECK (
        (revealed_at IS NULL) = (verifier IS NULL) AND (verifier IS NULL) = (verifier_algorithm IS NULL)),
    CONSTRAINT credential_secret_follows_the_reveal CHECK (totp_secret IS NULL OR verifier IS NOT NULL),
    CONSTRAINT credential_live_is_complete CHECK (NOT live OR (
        verifier IS NOT NULL AND totp_secret IS NOT NULL AND last_step IS NOT NULL AND expires_at IS NOT NULL
        AND enrollment_hash IS NULL AND deadline IS NULL AND wrong_codes = 0 AND locked_until IS NULL)),
    CONSTRAINT credential_unconfirmed_is_a_start CHECK (live OR (
        enrollment_hash IS NOT NULL AND deadline IS NOT NULL AND reveal_expires_at <= deadline
        AND last_step IS NULL AND expires_at IS NULL)),
    CONSTRAINT credential_can_be_named_live UNIQUE (account_id, id, live)
);

CREATE UNIQUE INDEX credential_one_live_per_account ON credential (account_id) WHERE live;
CREATE UNIQUE INDEX credential_one_unconfirmed_per_account ON credential (account_id) WHERE NOT live;

-- An active, expired or suspended account has a credential of its own that was confirmed.
ALTER TABLE account ADD CONSTRAINT account_credential_is_its_own_and_live
    FOREIGN KEY (id, credential_id, credential_is_live) REFERENCES credential (account_id, id, live);

-- RFC 6238 section 5.2: a code is accepted once. Never an older one after a newer one either.
CREATE FUNCTION refuse_a_step_that_does_not_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        CONSTRAINT = 'credential_step_only_grows',
        MESSAGE = 'a TOTP step that was accepted, or an older one, may not be accepted again';
END
$$;

CREATE TRIGGER credential_step_only_grows
    BEFORE UPDATE OF last_step ON credential FOR EACH ROW
    WHEN (OLD.last_step IS NOT NULL AND (NEW.last_step IS NULL OR NEW.last_step <= OLD.last_step))
    EXECUTE FUNCTION refuse_a_step_that_does_not_grow();

-- A session names the credential that opened it and goes with it.
CREATE TABLE session (
    hash bytea PRIMARY KEY
        CONSTRAINT session_hash_is_sha256 CHECK (octet_length(hash) = 32),
    id uuid NOT NULL CONSTRAINT session_id_is_unique UNIQUE,
    credential_id uuid NOT NULL REFERENCES credential ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    -- What its owner is told: the login before this one, and the refused ones between the two.
    previous_login_at timestamptz,
    failed_before bigint NOT NULL
);
CREATE INDEX session_by_credential ON session (credential_id);

-- What a login with expired credentials returns: good for one start, gone with the credential that it replaces.
CREATE TABLE renewal_token (
    hash bytea PRIMARY KEY
        CONSTRAINT renewal_token_hash_is_sha256 CHECK (octet_length(hash) = 32),
    credential_id uuid NOT NULL REFERENCES credential ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX renewal_token_by_credential ON renewal_token (credential_id);

-- No foreign key: events outlive what they tell of. No typed name either: it might be a password.
CREATE TABLE event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL
        CONSTRAINT event_kind_is_known CHECK (kind IN (
            'start', 'new_code', 'renew', 'poll', 'reveal', 'enroll', 'activate', 'login', 'session', 'logout',
            'suspend', 'release')),
    outcome text NOT NULL
        CONSTRAINT event_outcome_is_known CHECK (outcome IN (
            'ok', 'username_taken', 'token_invalid', 'session_invalid', 'token_used', 'token_expired', 'token_unknown',
            'password_not_revealed', 'totp_not_started', 'superseded',
            'wrong_password', 'wrong_code', 'wrong_code_locks', 'wrong_code_suspends', 'wrong_code_ends_start',
            'reused_code', 'waiting', 'suspended', 'stale', 'expired')),
    account_id uuid
);
CREATE INDEX event_by_account ON event (account_id, at) WHERE account_id IS NOT NULL;
CREATE INDEX event_by_time ON event (at);

-- The wait that the n-th wrong code in a row earns, NULL where it earns none. The numbers are the domain's.
CREATE FUNCTION wait_after_wrong_codes(wrong_codes integer, first_wait_at bigint, longest_wait_minutes bigint)
RETURNS interval LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN wrong_codes >= first_wait_at THEN make_interval(
        mins => least(longest_wait_minutes, power(2, least(wrong_codes - first_wait_at, 30))::bigint)::integer) END
$$;

-- What an owner is told at the next login. Counted up to a thousand, so that a flood of guesses slows no login down.
CREATE FUNCTION failed_logins_since(owner_id uuid, since timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM (
        SELECT FROM event
        WHERE event.account_id = owner_id AND kind = 'login' AND outcome NOT IN ('ok', 'expired')
            AND at > coalesce(since, '-infinity')
        LIMIT 1000) AS failed
$$;

-- The operator's: nobody signs in to a suspended account.
CREATE FUNCTION suspend_account(name text) RETURNS boolean LANGUAGE sql AS $$
    WITH suspended AS (
        UPDATE account SET state = 'suspended' WHERE username = name AND state IN ('active', 'expired') RETURNING id),
    recorded AS (INSERT INTO event (kind, outcome, account_id) SELECT 'suspend', 'ok', id FROM suspended)
    SELECT count(*) = 1 FROM suspended
$$;

-- The operator's: gives a suspended account back to its owner, with no wrong codes counted and no session open. (They are
-- refused while it is suspended. Here they can be deleted for good: nobody opens one meanwhile.)
CREATE FUNCTION release_account(name text) RETURNS boolean LANGUAGE sql AS $$
    WITH released AS (
        UPDATE account SET
            state = CASE WHEN credential.expires_at <= now() THEN 'expired' ELSE 'active' END,
            wrong_codes = 0,
            locked_until = NULL
        FROM credential
        WHERE username = name AND state = 'suspended' AND credential.id = account.credential_id
        RETURNING account.id, account.credential_id),
    ended AS (DELETE FROM session USING released WHERE session.credential_id = released.credential_id),
    recorded AS (INSERT INTO event (kind, outcome, account_id) SELECT 'release', 'ok', id FROM released)
    SELECT count(*) = 1 FROM released
$$;

REVOKE ALL ON FUNCTION suspend_account(text), release_account(text) FROM PUBLIC;

-- The application owns nothing, alters nothing, and neither changes nor deletes an event, nor says when it was.
GRANT SELECT, INSERT, DELETE ON account TO cofrap_app;
GRANT UPDATE (state, pending_until, credential_id, wrong_codes, locked_until, last_login_at) ON account TO cofrap_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON credential TO cofrap_app;
GRANT SELECT, INSERT, DELETE ON session TO cofrap_app;
GRANT UPDATE (last_seen_at) ON session TO cofrap_app;
GRANT SELECT, INSERT, DELETE ON renewal_token TO cofrap_app;
GRANT SELECT ON event TO cofrap_app;
GRANT INSERT (kind, outcome, account_id) ON event TO cofrap_app;
