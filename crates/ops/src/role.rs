//! `role`: the application role, which the components connect as.
//!
//! Owns: its attributes, its password, and the settings that bound what it can hold up.
//! Leaves to others: what it may do with each table (the migrations grant that).

use anyhow::{Context, Error, Result, bail};
use postgres_protocol::password::scram_sha_256;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, FromRow};

use crate::connection::{self, Login, is_code};
use crate::schema::run as execute;

/// The migrations name it in their grants, so it is not a setting.
pub const APPLICATION_ROLE: &str = "cofrap_app";

/// Owns the schema where a superuser does the work: what its functions may do is then not everything.
pub const OWNER_ROLE: &str = "cofrap_owner";

/// Below this a captured verifier could be searched; `make` writes 32 characters.
const SHORTEST_PASSWORD: usize = 16;

/// How many connections one process of the service may open (Spin's pool, which has no setting for it).
const POOL: i32 = 64;

/// What an owner is not permitted to do.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// What comes of a role that is not there, and could not be made.
const UNDEFINED_OBJECT: &str = "42704";

/// For psql, which asks for it: in SQL it would stand in the server's log.
const SET_PASSWORD: &str = "\\password cofrap_app";

/// A statement that brings the role nearer to what it should be.
#[derive(FromRow)]
struct Change {
    statement: String,
    /// What lets it be done where this owner may not: mostly the same.
    remedy: String,
    /// Whether who owns the database may, rather than who made the role.
    is_of_database: bool,
    /// What to see to where this owner may not; none where nothing goes on without it.
    advice: Option<String>,
}

impl Change {
    fn password() -> Self {
        let statement = SET_PASSWORD.to_owned();
        Self { remedy: statement.clone(), statement, is_of_database: false, advice: None }
    }

    /// For psql: where its own commands end with their line.
    fn line(self) -> String {
        let end = if self.remedy.starts_with('\\') { "" } else { ";" };
        self.remedy + end
    }
}

/// What is not as it should be, in the order in which it can be mended. (Each thing only where it differs: naming an
/// attribute, even to refuse it, needs it oneself, and the owner on a managed server is no superuser.)
///
/// Its settings are the role's, because they survive the `RESET ALL` that Spin's pool sends between two borrowers, and a
/// guest has no timeout of its own. Whoever had an old password may have changed more of them, which a new one does not
/// change back.
const CHANGES: &str = "
WITH role AS (SELECT pg_roles.* FROM (VALUES (1)) AS one LEFT JOIN pg_roles ON rolname = 'cofrap_app'),
here AS (SELECT oid, datname, coalesce(datacl, acldefault('d', datdba)) AS acl
    FROM pg_database WHERE datname = current_database()),
-- The application's pods take what they get: ten stay for the owner's jobs and operators, beside the server's own.
room AS (SELECT greatest(1, current_setting('max_connections')::integer
    - current_setting('superuser_reserved_connections')::integer
    - coalesce(current_setting('reserved_connections', true), '0')::integer - 10) AS connections),
wanted (name, value, advice) AS (VALUES
    -- A statement of ours takes milliseconds. It counts waiting for locks too, so there is no lock_timeout beside it.
    ('statement_timeout', '5s', NULL),
    -- No statement of ours opens a transaction; one that is left open must not hold its locks, or the next borrower.
    ('idle_in_transaction_session_timeout', '5s', NULL),
    -- What the statements are written for. The DSN says it too, but a pooler may have to ignore that.
    ('default_transaction_isolation', 'read committed', NULL),
    -- Parameters hold usernames, hashes of tokens and sealed values: in no log, also where a statement fails.
    ('log_parameter_max_length_on_error', '0', NULL),
    -- Spin passes the errors of a running statement on as text, without a SQLSTATE: the components know a deadlock by
    -- PostgreSQL's own words. On a server that speaks another language it is a 503 instead of a repeat.
    ('lc_messages', 'C', 'lc_messages may not be set for the role: see to it that the server''s is C, English or French'),
    -- No parameter is a secret in the clear, but a username names somebody.
    ('log_parameter_max_length', '0', 'log_parameter_max_length may not be set for the role: see to it that the server''s '
        'is 0, otherwise usernames appear in its log when it logs statements')),
held AS (SELECT setdatabase, split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value
    FROM pg_db_role_setting, unnest(setconfig) AS setting
    WHERE setrole = (SELECT oid FROM role) AND setdatabase IN (0, (SELECT oid FROM here))),
rights AS (SELECT grantee, privilege_type AS privilege FROM here, aclexplode(acl)
    WHERE grantee IN (0, (SELECT oid FROM role)))
SELECT statement, CASE WHEN statement LIKE 'GRANT %'
        THEN format('GRANT CONNECT ON DATABASE %I TO %I WITH GRANT OPTION', current_database(), current_user)
        ELSE statement END AS remedy,
    turn = 7 AS is_of_database, advice FROM (
    SELECT 1, 'CREATE ROLE cofrap_app', NULL FROM role WHERE oid IS NULL
    UNION ALL SELECT 2, 'ALTER ROLE cofrap_app NOSUPERUSER', NULL FROM role WHERE rolsuper
    UNION ALL SELECT 2, 'ALTER ROLE cofrap_app NOCREATEDB', NULL FROM role WHERE rolcreatedb
    UNION ALL SELECT 2, 'ALTER ROLE cofrap_app NOCREATEROLE', NULL FROM role WHERE rolcreaterole
    UNION ALL SELECT 2, 'ALTER ROLE cofrap_app NOREPLICATION', NULL FROM role WHERE rolreplication
    UNION ALL SELECT 2, 'ALTER ROLE cofrap_app NOBYPASSRLS', NULL FROM role WHERE rolbypassrls
    UNION ALL SELECT 3, 'ALTER ROLE cofrap_app LOGIN', NULL FROM role WHERE rolcanlogin IS NOT TRUE
    UNION ALL SELECT 3, 'ALTER ROLE cofrap_app VALID UNTIL ''infinity''', NULL FROM role WHERE rolvaliduntil < 'infinity'
    UNION ALL SELECT 4, format('ALTER ROLE cofrap_app CONNECTION LIMIT %s', connections),
        CASE WHEN rolconnlimit BETWEEN 0 AND connections THEN format(
            'cofrap_app may open %s connections at once, and there is room for %s, but its limit may not be changed',
            rolconnlimit, connections) END
        FROM role, room WHERE rolconnlimit IS DISTINCT FROM connections
    UNION ALL SELECT 5, reset, CASE WHEN name NOT IN (SELECT name FROM wanted WHERE advice IS NULL)
            THEN 'somebody set what this owner may not reset: ' || reset END
        FROM held, format('ALTER ROLE cofrap_app%s RESET %I',
            CASE WHEN setdatabase <> 0 THEN format(' IN DATABASE %I', current_database()) END, name) AS reset
        WHERE setdatabase <> 0 OR name NOT IN (SELECT name FROM wanted)
    UNION ALL SELECT 6, format('ALTER ROLE cofrap_app SET %s = %L', name, value), advice
        FROM wanted WHERE NOT EXISTS (
            SELECT FROM held WHERE setdatabase = 0 AND held.name = wanted.name AND held.value = wanted.value)
    UNION ALL SELECT 7, format('GRANT CONNECT ON DATABASE %I TO cofrap_app', datname), NULL
        FROM here WHERE NOT EXISTS (SELECT FROM rights WHERE grantee <> 0 AND privilege = 'CONNECT')
    -- Nobody needs temporary tables here, and one could shadow a table's name in a function of the owner.
    UNION ALL SELECT 7, format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC%s', datname, CASE WHEN EXISTS (
            SELECT FROM rights WHERE grantee <> 0 AND privilege = 'TEMPORARY') THEN ', cofrap_app' END), NULL
        FROM here WHERE EXISTS (SELECT FROM rights WHERE privilege = 'TEMPORARY')
    UNION ALL SELECT 7, format('REVOKE CREATE ON DATABASE %I FROM cofrap_app', datname), NULL
        FROM here WHERE EXISTS (SELECT FROM rights WHERE grantee <> 0 AND privilege = 'CREATE')
) AS changes (turn, statement, advice) ORDER BY turn, statement";

/// Other databases of the server where somebody gave the role a right. One that takes no connections serves nobody: a restore
/// leaves the database of before so. (What the role made itself does not count: whoever stole its password could keep it.)
const OTHER_DATABASES: &str = "
SELECT DISTINCT quote_ident(datname) FROM pg_shdepend JOIN pg_database
    ON pg_database.oid = CASE classid WHEN 'pg_database'::regclass THEN objid ELSE dbid END
WHERE refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = $1)
    AND deptype = 'a' AND datname <> current_database() AND datallowconn
ORDER BY 1";

/// Creates the role or brings it up to date, in one transaction: all of it, or nothing and the statements that are missing.
pub async fn run() -> Result<Vec<String>> {
    let password = password()?;
    let mut owner = connection::open().await?;
    let login = owner.login(APPLICATION_ROLE, &password);
    let done =
        owner.alone(async |transaction| bring_up_to_date(transaction, &password, &login).await).await?;
    owner.close().await?;
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

async fn bring_up_to_date(
    transaction: &mut PgConnection,
    password: &str,
    login: &Login,
) -> Result<Vec<String>> {
    refuse_memberships(transaction).await?;
    let others: Vec<String> =
        sqlx::query_scalar(OTHER_DATABASES).bind(APPLICATION_ROLE).fetch_all(&mut *transaction).await?;
    let wanted = changes(transaction).await?;
    let is_new = wanted.first().is_some_and(|change| change.statement.starts_with("CREATE"));
    let has_changed = make(transaction, &wanted).await?;
    let (mut missing, advised): (Vec<Change>, Vec<Change>) =
        changes(transaction).await?.into_iter().partition(|change| change.advice.is_none());
    // Where others use the role, it would be a new password for them, too.
    let has_password = others.is_empty() && set_password(transaction, password).await?;
    if !has_password && (is_new || !login.is_taken().await?) {
        refuse_other_password(&others)?;
        missing.push(Change::password());
    }
    refuse_without(transaction, missing).await?;
    let made_owner = make_owner(transaction).await?;

    let mut done = vec![match (is_new, has_changed || has_password) {
        (true, _) => format!("created role {APPLICATION_ROLE}"),
        (false, true) => format!("updated role {APPLICATION_ROLE}"),
        (false, false) => format!("role {APPLICATION_ROLE} is as it should be"),
    }];
    done.extend(made_owner.then(|| format!("created role {OWNER_ROLE}")));
    done.extend(advised.into_iter().filter_map(|change| change.advice));
    done.extend(short_of_connections(transaction).await?);
    Ok(done)
}

async fn changes(transaction: &mut PgConnection) -> Result<Vec<Change>> {
    sqlx::query_as(CHANGES).fetch_all(transaction).await.context("the role cannot be looked at")
}

/// Makes those that this owner may make, and says whether there were any. PostgreSQL knows best who may; where a `GRANT`
/// does nothing it only warns, so what is missing is looked for again afterwards.
async fn make(transaction: &mut PgConnection, changes: &[Change]) -> Result<bool> {
    let mut has_changed = false;
    for change in changes {
        let done = attempt(transaction, &change.statement).await?;
        has_changed |= done;
        if !done && change.statement.starts_with("CREATE") {
            break;
        }
    }
    Ok(has_changed)
}

/// Does it, or nothing where this owner may not.
async fn attempt(transaction: &mut PgConnection, statement: &str) -> Result<bool> {
    let mut savepoint = transaction.begin().await?;
    match execute(&mut savepoint, statement).await {
        Ok(()) => {
            savepoint.commit().await?;
            Ok(true)
        }
        Err(error) if is_code(&error, INSUFFICIENT_PRIVILEGE) => {
            savepoint.rollback().await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
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

/// Sets it, or nothing where this owner may not.
async fn set_password(transaction: &mut PgConnection, password: &str) -> Result<bool> {
    // base64, `$` and `:` only. A utility statement takes no parameters, so this one is put together.
    let verifier = scram_sha_256(password.as_bytes());
    let statement = AssertSqlSafe(format!("ALTER ROLE cofrap_app PASSWORD '{verifier}'"));
    let mut savepoint = transaction.begin().await?;
    match sqlx::raw_sql(statement).execute(&mut *savepoint).await.map_err(Error::from) {
        Ok(_) => {
            savepoint.commit().await?;
            Ok(true)
        }
        Err(error) if [INSUFFICIENT_PRIVILEGE, UNDEFINED_OBJECT].iter().any(|code| is_code(&error, code)) => {
            savepoint.rollback().await?;
            Ok(false)
        }
        Err(error) => Err(error.context("the password was not accepted")),
    }
}

/// A role has one password on all of its server.
fn refuse_other_password(others: &[String]) -> Result<()> {
    let Some(one) = others.first() else { return Ok(()) };
    bail!(
        "{APPLICATION_ROLE} serves the database {one} of this server, too, and APPLICATION_PASSWORD is not its password: a \
         new one would shut that application out. Nothing was changed. Give the password that it has; or, so that both have \
         a new one, let a superuser set it with psql, and then run this again: {SET_PASSWORD}; or, where nobody is to use \
         that database any more: ALTER DATABASE {one} WITH ALLOW_CONNECTIONS false"
    )
}

/// With the statements that are missing, one a line, if there are any.
async fn refuse_without(transaction: &mut PgConnection, missing: Vec<Change>) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let (user, database, owns_database, lacks_admin): (String, String, bool, bool) = sqlx::query_as(
        "SELECT quote_ident(current_user), quote_ident(current_database()),
            (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()),
            rolcreaterole AND current_setting('server_version_num')::integer >= 160000
            AND EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND NOT pg_has_role(oid, 'MEMBER WITH ADMIN OPTION'))
         FROM pg_roles WHERE rolname = current_user",
    )
    .bind(APPLICATION_ROLE)
    .fetch_one(transaction)
    .await?;
    let (of_database, of_role): (Vec<Change>, Vec<Change>) =
        missing.into_iter().partition(|change| change.is_of_database);
    let mut what = Vec::new();
    let mut lines = Vec::new();
    if !of_role.is_empty() {
        what.push(format!("make the role {APPLICATION_ROLE} what it should be"));
        if lacks_admin {
            lines.push(format!(
                "GRANT {APPLICATION_ROLE} TO {user} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;"
            ));
        } else {
            lines.extend(of_role.into_iter().map(Change::line));
        }
    }
    let may_once_the_role_is_there = owns_database && !what.is_empty();
    if !of_database.is_empty() && !may_once_the_role_is_there {
        what.push(format!("say who may use the database {database}, which it does not own"));
        lines.extend(of_database.into_iter().map(Change::line));
    }
    bail!(
        "{user} may not {}. Nothing was changed. Let a superuser run this with psql, and then run `identity-ops role` again:\n{}",
        what.join(", nor "),
        lines.join("\n")
    )
}

/// What to say where the server has less room than one process of the service may take.
async fn short_of_connections(transaction: &mut PgConnection) -> Result<Option<String>> {
    let (limit, all): (i32, i32) = sqlx::query_as(
        "SELECT rolconnlimit, current_setting('max_connections')::integer FROM pg_roles WHERE rolname = $1",
    )
    .bind(APPLICATION_ROLE)
    .fetch_one(transaction)
    .await?;
    Ok((limit < POOL).then(|| {
        format!(
            "{APPLICATION_ROLE} may open {limit} connections at once, and one process of the service up to {POOL}: raise \
             max_connections ({all})"
        )
    }))
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
        execute(connection, "CREATE ROLE cofrap_owner").await?;
    }
    // A superuser may name every attribute.
    execute(
        connection,
        "ALTER ROLE cofrap_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS",
    )
    .await?;
    let grant: String = sqlx::query_scalar(
        "SELECT format('GRANT CREATE ON DATABASE %I TO cofrap_owner', current_database())",
    )
    .fetch_one(&mut *connection)
    .await?;
    execute(connection, &grant).await?;
    Ok(!exists)
}
