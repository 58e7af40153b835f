//! `role`: the application role, which the components connect as.
//!
//! Owns: its attributes, its password, and the settings that bound what it can hold up.
//! Leaves to others: what it may do with each table (the migrations grant that).

use anyhow::{Context, Result, bail};
use postgres_protocol::password::scram_sha_256;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use crate::connection;

/// The migrations name it in their grants, so it is not a setting.
pub const APPLICATION_ROLE: &str = "cofrap_app";

/// Owns the schema where a superuser does the work: what its functions may do is then not everything.
pub const OWNER_ROLE: &str = "cofrap_owner";

/// Below this a captured verifier could be searched; `make` writes 32 characters.
const SHORTEST_PASSWORD: usize = 16;

/// Settings of the role, because they survive the `RESET ALL` that Spin's pool sends between two borrowers, and a
/// guest has no timeout of its own.
const SETTINGS: [&str; 3] = [
    // A statement of ours takes milliseconds. It counts waiting for locks too, so there is no lock_timeout beside it.
    "ALTER ROLE cofrap_app SET statement_timeout = '5s'",
    // No statement of ours opens a transaction; one that is left open must not hold its locks, or the next borrower.
    "ALTER ROLE cofrap_app SET idle_in_transaction_session_timeout = '5s'",
    // Parameters hold usernames, hashes of tokens and sealed values: in no log, also where a statement fails.
    "ALTER ROLE cofrap_app SET log_parameter_max_length_on_error = 0",
];

/// Settings that not every owner may set: name, statement, and what the operator has to see to where this may not.
const SETTINGS_WHERE_PERMITTED: [(&str, &str, &str); 2] = [
    // Spin passes the errors of a running statement on as text, without a SQLSTATE: the components know a deadlock by
    // PostgreSQL's own words. On a server that speaks another language it is a 503 instead of a repeat.
    (
        "lc_messages",
        "ALTER ROLE cofrap_app SET lc_messages = 'C'",
        "lc_messages may not be set for the role: see to it that the server's is C or English",
    ),
    // No parameter is a secret in the clear, but a username names somebody.
    (
        "log_parameter_max_length",
        "ALTER ROLE cofrap_app SET log_parameter_max_length = 0",
        "log_parameter_max_length may not be set for the role: see to it that the server's is 0, or usernames stand in \
         its log when it logs statements",
    ),
];

/// Attributes that the role must not have, as PostgreSQL's catalogue and its `ALTER ROLE` name them.
///
/// Each is taken away only where it is set: naming an attribute, even to refuse it, needs it oneself, and the owner on
/// a managed server is no superuser.
const NO_ATTRIBUTES: [(&str, &str); 5] = [
    ("SELECT rolsuper FROM pg_roles WHERE rolname = $1", "ALTER ROLE cofrap_app NOSUPERUSER"),
    ("SELECT rolcreatedb FROM pg_roles WHERE rolname = $1", "ALTER ROLE cofrap_app NOCREATEDB"),
    ("SELECT rolcreaterole FROM pg_roles WHERE rolname = $1", "ALTER ROLE cofrap_app NOCREATEROLE"),
    ("SELECT rolreplication FROM pg_roles WHERE rolname = $1", "ALTER ROLE cofrap_app NOREPLICATION"),
    ("SELECT rolbypassrls FROM pg_roles WHERE rolname = $1", "ALTER ROLE cofrap_app NOBYPASSRLS"),
];

/// Creates the role or brings it up to date, in one transaction.
pub async fn run() -> Result<Vec<String>> {
    let password = password()?;
    let mut connection = connection::open().await?;
    connection::wait_for_others(&mut connection).await?;
    let mut transaction = connection.begin().await?;
    let created = create_if_missing(&mut transaction).await?;
    take_away_attributes(&mut transaction).await?;
    refuse_memberships(&mut transaction).await?;
    set_password(&mut transaction, &password).await?;
    forget_settings(&mut transaction).await?;
    for setting in SETTINGS {
        sqlx::query(setting).execute(&mut *transaction).await.context(setting)?;
    }
    let left_to_the_operator = set_where_permitted(&mut transaction).await?;
    grant_connect(&mut transaction).await?;
    let made_owner = make_owner(&mut transaction).await?;
    transaction.commit().await?;
    connection::close(connection).await?;
    let mut done = vec![format!("{} role {APPLICATION_ROLE}", if created { "created" } else { "updated" })];
    done.extend(made_owner.then(|| format!("created role {OWNER_ROLE}")));
    done.extend(left_to_the_operator.into_iter().map(str::to_owned));
    Ok(done)
}

fn password() -> Result<String> {
    let password = std::env::var("APPLICATION_PASSWORD")
        .ok()
        .context("APPLICATION_PASSWORD is not set: the password that the application role is to have")?;
    if password.chars().count() < SHORTEST_PASSWORD {
        bail!("APPLICATION_PASSWORD is too short: {SHORTEST_PASSWORD} characters or more are needed");
    }
    Ok(password)
}

async fn create_if_missing(connection: &mut PgConnection) -> Result<bool> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(APPLICATION_ROLE)
        .fetch_one(&mut *connection)
        .await?;
    let statement = if exists { "ALTER ROLE cofrap_app LOGIN" } else { "CREATE ROLE cofrap_app LOGIN" };
    sqlx::query(statement).execute(connection).await.context(statement)?;
    Ok(!exists)
}

async fn take_away_attributes(connection: &mut PgConnection) -> Result<()> {
    for (is_set, take_away) in NO_ATTRIBUTES {
        if sqlx::query_scalar(is_set).bind(APPLICATION_ROLE).fetch_one(&mut *connection).await? {
            sqlx::query(take_away).execute(&mut *connection).await.context(take_away)?;
        }
    }
    Ok(())
}

/// A role that it is a member of would lend it rights that no migration gave, up to the owner's.
async fn refuse_memberships(connection: &mut PgConnection) -> Result<()> {
    let roles: Vec<String> = sqlx::query_scalar(
        "SELECT quote_ident(lender.rolname) FROM pg_auth_members
         JOIN pg_roles AS borrower ON borrower.oid = member JOIN pg_roles AS lender ON lender.oid = roleid
         WHERE borrower.rolname = $1 ORDER BY 1",
    )
    .bind(APPLICATION_ROLE)
    .fetch_all(connection)
    .await?;
    if let Some(lender) = roles.first() {
        bail!(
            "{APPLICATION_ROLE} is a member of {lender}, and has its rights: REVOKE {lender} FROM {APPLICATION_ROLE}"
        );
    }
    Ok(())
}

async fn set_password(connection: &mut PgConnection, password: &str) -> Result<()> {
    // base64, `$` and `:` only. A utility statement takes no parameters, so this one is put together.
    let verifier = scram_sha_256(password.as_bytes());
    let statement = AssertSqlSafe(format!("ALTER ROLE cofrap_app PASSWORD '{verifier}'"));
    sqlx::query(statement).execute(connection).await.context("the password was not accepted")?;
    Ok(())
}

/// Whoever had the old password may have changed what the role begins with, which a new password does not change back.
async fn forget_settings(connection: &mut PgConnection) -> Result<()> {
    for statement in [
        "SELECT 'ALTER ROLE cofrap_app RESET ALL'",
        "SELECT format('ALTER ROLE cofrap_app IN DATABASE %I RESET ALL', current_database())",
    ] {
        let statement: String = sqlx::query_scalar(statement).fetch_one(&mut *connection).await?;
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Returns what may not be set here.
async fn set_where_permitted(connection: &mut PgConnection) -> Result<Vec<&'static str>> {
    let mut left = Vec::new();
    for (name, statement, advice) in SETTINGS_WHERE_PERMITTED {
        let permitted: bool = sqlx::query_scalar("SELECT has_parameter_privilege($1, 'SET')")
            .bind(name)
            .fetch_one(&mut *connection)
            .await?;
        if permitted {
            sqlx::query(statement).execute(&mut *connection).await.context(statement)?;
        } else {
            left.push(advice);
        }
    }
    Ok(left)
}

async fn grant_connect(connection: &mut PgConnection) -> Result<()> {
    // Nobody needs temporary tables here, and one could shadow a table's name in a function of the owner.
    for privilege in [
        "SELECT format('GRANT CONNECT ON DATABASE %I TO cofrap_app', current_database())",
        "SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, cofrap_app', current_database())",
        "SELECT format('REVOKE CREATE ON DATABASE %I FROM cofrap_app', current_database())",
    ] {
        let statement: String = sqlx::query_scalar(privilege).fetch_one(&mut *connection).await?;
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// For a superuser only: makes the role that is to own the schema, if it is not there, and lets it make one here.
async fn make_owner(connection: &mut PgConnection) -> Result<bool> {
    let (is_superuser, exists): (bool, bool) = sqlx::query_as(
        "SELECT rolsuper, EXISTS (SELECT FROM pg_roles WHERE rolname = $1) FROM pg_roles WHERE rolname = current_user",
    )
    .bind(OWNER_ROLE)
    .fetch_one(&mut *connection)
    .await?;
    if !is_superuser {
        return Ok(false);
    }
    if !exists {
        sqlx::query("CREATE ROLE cofrap_owner").execute(&mut *connection).await?;
    }
    // A superuser may name every attribute.
    sqlx::query(
        "ALTER ROLE cofrap_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS",
    )
    .execute(&mut *connection)
    .await?;
    let grant: String = sqlx::query_scalar(
        "SELECT format('GRANT CREATE ON DATABASE %I TO cofrap_owner', current_database())",
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query(AssertSqlSafe(grant)).execute(&mut *connection).await?;
    Ok(!exists)
}
