//! The schema `identity`, which holds everything of the service: whose it is, and what comes into it from elsewhere.
//!
//! Its owner is no superuser, because its functions do what their owner may. Who connects owns it, unless that is a
//! superuser: then a role of its own does, which nobody logs in as.

use anyhow::{Context, Result, bail};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use crate::connection::Owner;
use crate::role::OWNER_ROLE;

/// The migrator's ledger.
pub const LEDGER: &str = "identity._sqlx_migrations";

/// What releases before the schema had: in the first schema of the search path that they found.
const TABLES: [&str; 7] =
    ["account", "credential", "session", "renewal_token", "event", "reserved_name", "_sqlx_migrations"];
const FUNCTIONS: [&str; 13] = [
    "close_after_restore",
    "delete_account",
    "failed_logins_since",
    "forget_an_ended_reservation",
    "is_forgotten",
    "name_hash",
    "newest_events",
    "purge",
    "refuse_a_reserved_name",
    "refuse_a_step_that_does_not_grow",
    "release_account",
    "suspend_account",
    "wait_after_wrong_codes",
];

/// What is true before anything is changed.
pub struct Standing {
    /// Who owns the schema, or will.
    pub owner: String,
    /// Whether it is there.
    pub is_there: bool,
    /// The schema that holds what a release before it made, if one does.
    pub elsewhere: Option<String>,
}

impl Standing {
    /// Looks, and refuses what cannot work.
    ///
    /// # Errors
    /// A sentence that ends with the statement that lets it work.
    pub async fn find(connection: &mut PgConnection, first_checksum: &[u8]) -> Result<Self> {
        let (user, is_superuser): (String, bool) =
            sqlx::query_as("SELECT current_user::text, rolsuper FROM pg_roles WHERE rolname = current_user")
                .fetch_one(&mut *connection)
                .await?;
        let there: Option<(String, bool, bool)> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT rolname::text, rolsuper, {TRUSTED} FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
             WHERE nspname = 'identity'"
        )))
        .bind(OWNER_ROLE)
        .fetch_optional(&mut *connection)
        .await?;
        if let Some((stranger, _, false)) = &there {
            bail!(
                "the schema identity belongs to {stranger}, who owns neither this database nor this connection: \
                 look at what is in it, then ALTER SCHEMA identity OWNER TO somebody who does, or drop it"
            );
        }
        let owner = match &there {
            Some((owner, false, _)) => owner.clone(),
            _ if is_superuser => OWNER_ROLE.to_owned(),
            Some((owner, true, _)) => bail!(
                "the schema identity belongs to the superuser {owner}, and {user} cannot change that: \
                 run this once as a superuser, or ALTER SCHEMA identity OWNER TO {}",
                quoted(connection, &user).await?
            ),
            None => user.clone(),
        };
        refuse_who_is_not(connection, &owner, "SET").await?;
        let elsewhere = if has_ledger(connection).await? {
            None
        } else {
            ledger_elsewhere(connection, first_checksum).await?
        };
        let standing = Self { owner, is_there: there.is_some(), elsewhere };
        standing.refuse_what_cannot_work(connection, &user).await?;
        Ok(standing)
    }

    async fn refuse_what_cannot_work(&self, connection: &mut PgConnection, user: &str) -> Result<()> {
        let is_superuser: Option<bool> =
            sqlx::query_scalar("SELECT rolsuper FROM pg_roles WHERE rolname = $1")
                .bind(&self.owner)
                .fetch_optional(&mut *connection)
                .await?;
        let owner = quoted(connection, &self.owner).await?;
        match is_superuser {
            None => bail!(
                "the role {owner} is to own the schema, and does not exist: run `identity-ops role` first"
            ),
            Some(true) => bail!(
                "the role {owner} is to own the schema, and is a superuser: ALTER ROLE {owner} NOSUPERUSER"
            ),
            Some(false) => {}
        }
        let (may_create, database): (bool, String) = sqlx::query_as(
            "SELECT has_database_privilege($1, current_database(), 'CREATE'), quote_ident(current_database())",
        )
        .bind(&self.owner)
        .fetch_one(&mut *connection)
        .await?;
        if !self.is_there && !may_create {
            bail!(
                "{owner} may not make the schema identity in this database: GRANT CREATE ON DATABASE {database} TO {owner}"
            );
        }
        self.refuse_what_is_anothers(connection, user).await
    }

    async fn refuse_what_is_anothers(&self, connection: &mut PgConnection, user: &str) -> Result<()> {
        let Some(elsewhere) = &self.elsewhere else { return Ok(()) };
        let foreign: Option<(String, String)> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT relname::text, rolname::text FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner
             WHERE relnamespace = quote_ident($2)::regnamespace AND relkind = 'r' AND relname = ANY ($3)
               AND NOT (pg_has_role(relowner, 'USAGE') AND {TRUSTED}) LIMIT 1"
        )))
        .bind(OWNER_ROLE)
        .bind(elsewhere)
        .bind(TABLES.as_slice())
        .fetch_optional(connection)
        .await?;
        if let Some((table, owner)) = foreign {
            bail!(
                "the table {elsewhere}.{table} belongs to {owner}, and {user} cannot move it: run this as {owner}"
            );
        }
        Ok(())
    }

    /// Makes the schema, moves into it what is elsewhere, gives its owner what is another's, and goes on as its owner.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub async fn settle(&self, transaction: &mut PgConnection) -> Result<Vec<String>> {
        let mut done = Vec::new();
        let owner = quoted(transaction, &self.owner).await?;
        if !self.is_there {
            let create = format!("CREATE SCHEMA identity AUTHORIZATION {owner}");
            run(transaction, &create).await?;
        }
        if let Some(elsewhere) = &self.elsewhere {
            for statement in moves(transaction, elsewhere).await? {
                run(transaction, &statement).await?;
            }
            done.push(format!("moved the tables of the schema {elsewhere} into the schema identity"));
        }
        let mut given = Vec::new();
        for (what, statement) in gifts(transaction, &self.owner).await? {
            run(transaction, &statement).await?;
            given.push(what);
        }
        if !given.is_empty() {
            done.push(format!("gave {owner} what was another's: {}", given.join(", ")));
        }
        run(transaction, &format!("SET LOCAL ROLE {owner}")).await?;
        Ok(done)
    }
}

/// Refuses whoever may not use what `migrate` has made, before anything is sent that would need it.
///
/// # Errors
/// A sentence that ends with what lets it work.
pub async fn refuse_who_may_not_use_it(owner: &mut Owner) -> Result<()> {
    let mut transaction = owner.begin().await?;
    let holder: Option<String> = sqlx::query_scalar(
        "SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = 'identity'",
    )
    .fetch_optional(&mut *transaction)
    .await?;
    match holder {
        None => bail!("there is no schema identity in this database: run `identity-ops migrate` first"),
        Some(holder) => refuse_who_is_not(&mut transaction, &holder, "USAGE").await?,
    }
    Ok(transaction.commit().await?)
}

/// Refuses who may not do what a role may. From PostgreSQL 16 on, one may have a role's rights (`USAGE`) without being
/// allowed to become it (`SET`), and the other way round; before it, who is a member may become it.
async fn refuse_who_is_not(connection: &mut PgConnection, owner: &str, how: &str) -> Result<()> {
    let (may, is_member, is_new, owner, user): (bool, bool, bool, String, String) = sqlx::query_as(
        "SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)
                OR pg_has_role(quote_ident($1)::regrole, 'USAGE')
                    AND pg_has_role(quote_ident($1)::regrole, CASE WHEN is_new THEN $2 ELSE 'MEMBER' END),
            EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(oid, 'MEMBER')), is_new, quote_ident($1),
            quote_ident(current_user)
         FROM (SELECT current_setting('server_version_num')::integer >= 160000 AS is_new) AS server",
    )
    .bind(owner)
    .bind(how)
    .fetch_one(connection)
    .await?;
    if may {
        return Ok(());
    }
    let statement = match (is_new, is_member) {
        (true, _) => format!("GRANT {owner} TO {user} WITH INHERIT TRUE, SET TRUE"),
        (false, true) => format!("ALTER ROLE {user} INHERIT"),
        (false, false) => format!("GRANT {owner} TO {user}"),
    };
    bail!("the schema identity belongs to {owner}: run this as {owner}, or {statement}")
}

/// Whether a role, a row of `pg_roles`, may have made what is taken over: who is connected, the database's owner, a
/// superuser, or the role of `$1`. What anybody else made would run with the owner's rights.
const TRUSTED: &str = "(rolname = current_user OR rolsuper OR rolname = $1 OR pg_roles.oid = (
    SELECT datdba FROM pg_database WHERE datname = current_database()))";

/// Whether the migrator's ledger is in its place.
pub async fn has_ledger(connection: &mut PgConnection) -> Result<bool> {
    let is_there = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(LEDGER);
    Ok(is_there.fetch_one(connection).await?)
}

/// Where the ledger is of a release before the schema; it is known by the checksum of the first migration. A table of
/// somebody else is not even looked at.
async fn ledger_elsewhere(connection: &mut PgConnection, first_checksum: &[u8]) -> Result<Option<String>> {
    let candidates: Vec<(String, String)> = sqlx::query_as(
        "SELECT nspname::text, quote_ident(nspname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE relname = '_sqlx_migrations' AND relkind = 'r' AND nspname NOT LIKE 'pg\\_%'
           AND has_schema_privilege(pg_namespace.oid, 'USAGE') AND pg_has_role(relowner, 'USAGE')
         ORDER BY nspname",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut found = Vec::new();
    for (schema, quoted) in candidates {
        let is_ours = format!(
            "SELECT EXISTS (SELECT FROM {quoted}._sqlx_migrations WHERE version = 1 AND checksum = $1)"
        );
        let is_ours = sqlx::query_scalar(AssertSqlSafe(is_ours)).bind(first_checksum);
        if is_ours.fetch_one(&mut *connection).await? {
            found.push(schema);
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => bail!(
            "the service's tables are in several schemas ({}): drop or rename all but the one that it uses",
            several.join(", ")
        ),
    }
}

/// The statements that move what is there of the known tables and functions: functions first, whose parameters may have
/// the type of a table's row, by the name that it has before.
async fn moves(connection: &mut PgConnection, from: &str) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT statement FROM (
            SELECT 1, format('ALTER FUNCTION %I.%I(%s) SET SCHEMA identity', $1, proname, pg_get_function_identity_arguments(oid))
            FROM pg_proc WHERE pronamespace = quote_ident($1)::regnamespace AND proname = ANY ($3)
            UNION ALL
            SELECT 2, format('ALTER TABLE %I.%I SET SCHEMA identity', $1, relname) FROM pg_class
            WHERE relnamespace = quote_ident($1)::regnamespace AND relkind = 'r' AND relname = ANY ($2)
         ) AS moves (turn, statement) ORDER BY turn",
    )
    .bind(from)
    .bind(TABLES.as_slice())
    .bind(FUNCTIONS.as_slice())
    .fetch_all(connection)
    .await
    .context("what a release before the schema made cannot be listed")
}

/// The statements that give everything in the schema to its owner, each behind the name of what it gives. (What an
/// extension brought is its own.)
async fn gifts(connection: &mut PgConnection, owner: &str) -> Result<Vec<(String, String)>> {
    sqlx::query_as(
        "SELECT what, gift FROM (
            SELECT 1, oid, 'the schema', format('ALTER SCHEMA identity OWNER TO %I', $1), nspowner
            FROM pg_namespace WHERE nspname = 'identity'
            UNION ALL
            SELECT 2, oid, relname, format('ALTER TABLE identity.%I OWNER TO %I', relname, $1), relowner
            FROM pg_class WHERE relnamespace = 'identity'::regnamespace AND relkind = 'r'
            UNION ALL
            SELECT 3, oid, proname, format('ALTER ROUTINE identity.%I(%s) OWNER TO %I', proname,
                pg_get_function_identity_arguments(oid), $1), proowner
            FROM pg_proc WHERE pronamespace = 'identity'::regnamespace
         ) AS gifts (turn, oid, what, gift, holder)
         WHERE pg_get_userbyid(holder) <> $1
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = gifts.oid AND deptype = 'e')
         ORDER BY turn, what",
    )
    .bind(owner)
    .fetch_all(connection)
    .await
    .context("what is in the schema identity cannot be listed")
}

async fn quoted(connection: &mut PgConnection, name: &str) -> Result<String> {
    Ok(sqlx::query_scalar("SELECT quote_ident($1)").bind(name).fetch_one(connection).await?)
}

pub(crate) async fn run(connection: &mut PgConnection, statement: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await
        .with_context(|| statement.lines().next().unwrap_or_default().to_owned())?;
    Ok(())
}
