-- entry (kind text, outcome text, account_id uuid)
-- returns (recorded boolean)
--
-- An event that stands alone: of a refusal that changed nothing else. It neither updates nor locks a row of the account.
INSERT INTO identity.event (kind, outcome, account_id) VALUES ($1, $2, $3) RETURNING true
