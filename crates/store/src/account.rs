//! An account as its owner sees it.

use domain::journey::account::{OwnAccount, OwnCredential, OwnEvent, OwnEvents, UnconfirmedCredential};
use domain::{AccountId, Step, TokenHash, limits};

use crate::database::{Database, Row, Value};
use crate::error::Error;
use crate::session::parameters;
use crate::statement::{row, rows};

/// The check of the session is the touch, as everywhere.
const LOAD: &str = "
UPDATE session SET last_seen_at = now()
FROM credential AS live
JOIN account ON account.credential_id = live.id
LEFT JOIN credential AS draft ON draft.account_id = account.id AND NOT draft.live
WHERE session.hash = $1 AND session.credential_id = live.id
    AND account.state = 'active' AND live.expires_at > now()
    AND session.created_at > now() - make_interval(secs => $2::bigint)
    AND session.last_seen_at > now() - make_interval(secs => $3::bigint)
RETURNING account.id AS account_id, account.username, account.state,
    floor(extract(epoch FROM account.created_at))::bigint AS created_at,
    floor(extract(epoch FROM account.last_login_at))::bigint AS last_login_at,
    account.wrong_codes::bigint AS wrong_codes,
    floor(extract(epoch FROM account.locked_until))::bigint AS locked_until,
    floor(extract(epoch FROM live.revealed_at))::bigint AS revealed_at,
    floor(extract(epoch FROM live.expires_at))::bigint AS expires_at, live.last_step,
    draft.id IS NOT NULL AS has_draft,
    floor(extract(epoch FROM draft.revealed_at))::bigint AS draft_revealed_at,
    floor(extract(epoch FROM draft.reveal_expires_at))::bigint AS draft_code_expires_at,
    floor(extract(epoch FROM draft.deadline))::bigint AS draft_deadline,
    draft.wrong_codes::bigint AS draft_wrong_codes,
    floor(extract(epoch FROM draft.locked_until))::bigint AS draft_locked_until";

/// The account of whoever has this session, and counts as its use. `None` when it is not good.
///
/// # Errors
/// [`Error`].
pub fn load(database: &impl Database, token: &TokenHash) -> Result<Option<OwnAccount>, Error> {
    row(database, LOAD, &parameters(token))?.map(|row| own_account(&row)).transpose()
}

fn own_account(row: &Row) -> Result<OwnAccount, Error> {
    Ok(OwnAccount {
        account_id: row.get("account_id")?,
        username: row.get("username")?,
        state: row.get("state")?,
        created_at: row.get("created_at")?,
        last_login_at: row.get("last_login_at")?,
        wrong_codes: row.get("wrong_codes")?,
        locked_until: row.get("locked_until")?,
        credential: OwnCredential {
            revealed_at: row.get("revealed_at")?,
            expires_at: row.get("expires_at")?,
            last_code_at: row.get::<Step>("last_step")?.begins_at(),
        },
        unconfirmed: unconfirmed(row)?,
    })
}

fn unconfirmed(row: &Row) -> Result<Option<UnconfirmedCredential>, Error> {
    if !row.get::<bool>("has_draft")? {
        return Ok(None);
    }
    Ok(Some(UnconfirmedCredential {
        revealed_at: row.get("draft_revealed_at")?,
        code_expires_at: row.get("draft_code_expires_at")?,
        deadline: row.get("draft_deadline")?,
        wrong_codes: row.get("draft_wrong_codes")?,
        locked_until: row.get("draft_locked_until")?,
    }))
}

/// However many events there are, as many are read as are shown and counted. $1 account, $2 shown, $3 counted beyond
const EVENTS: &str = "
SELECT newest.kind, newest.outcome, floor(extract(epoch FROM newest.at))::bigint AS at,
    greatest(count(*) OVER () - $2::bigint, 0) AS older
FROM newest_events($1, $2::bigint + $3::bigint) AS newest
ORDER BY newest.at DESC, newest.id DESC
LIMIT $2";

/// What was recorded about an account.
///
/// # Errors
/// [`Error`].
pub fn events(database: &impl Database, account_id: AccountId) -> Result<OwnEvents, Error> {
    let limits = [limits::EVENTS_SHOWN, limits::OLDER_EVENTS_COUNTED].map(|n| Value::Integer(n.into()));
    let [shown, counted] = limits;
    let rows = rows(database, EVENTS, &[account_id.into(), shown, counted])?;
    let older = rows.first().map_or(Ok(0), |row| row.get("older"))?;
    let newest = rows.iter().map(own_event).collect::<Result<_, _>>()?;
    Ok(OwnEvents { newest, older })
}

fn own_event(row: &Row) -> Result<OwnEvent, Error> {
    Ok(OwnEvent { kind: row.get("kind")?, outcome: row.get("outcome")?, at: row.get("at")? })
}
