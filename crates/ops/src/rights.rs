//! What is in the schema beside the functions of releases: nobody uses it but the owner.
//!
//! Migrations see to that when they run; `migrate` sees to it again, because default privileges, or somebody, may have given
//! more since.

use anyhow::{Context, Result};
use sqlx::postgres::PgConnection;

use crate::schema::run;

/// What `PUBLIC` and the application's role have beside that, each thing with the statement that takes it back.
const TOO_MANY: &str = "
SELECT DISTINCT name::text, format('REVOKE %s ON %s FROM %s', privilege, what,
    CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE 'cofrap_app' END) AS statement
FROM (
    SELECT pg_namespace.oid, 'the schema', privilege_type, 'SCHEMA identity', grantee
    FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'identity' AND (grantee = 0 OR privilege_type <> 'USAGE')
    UNION ALL
    SELECT pg_class.oid, relname, 'ALL', format('%s identity.%I', CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname),
        grantee
    FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'identity'::regnamespace
    UNION ALL
    -- A table's column by column are taken back with the table's.
    SELECT pg_class.oid, relname, 'ALL', format('TABLE identity.%I', relname), grantee
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
    WHERE relnamespace = 'identity'::regnamespace
    UNION ALL
    SELECT pg_proc.oid, proname, 'ALL',
        format('ROUTINE identity.%I(%s)', proname, pg_get_function_identity_arguments(pg_proc.oid)), grantee
    FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
    WHERE pronamespace = 'identity'::regnamespace
        AND (grantee = 0 OR proname NOT IN (SELECT name FROM identity.release_function))
) AS held (oid, name, privilege, what, grantee)
WHERE (grantee = 0 OR grantee = 'cofrap_app'::regrole)
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = held.oid AND deptype = 'e')
ORDER BY 1, 2";

/// Takes back what is too much, gives what is missing, and names what it was.
///
/// # Errors
/// When PostgreSQL refuses.
pub async fn mend(transaction: &mut PgConnection) -> Result<Vec<String>> {
    let too_many: Vec<(String, String)> = sqlx::query_as(TOO_MANY)
        .fetch_all(&mut *transaction)
        .await
        .context("who may use what is in the schema cannot be listed")?;
    let mut names = Vec::new();
    for (name, statement) in too_many {
        run(transaction, &format!("{statement} CASCADE")).await?;
        names.push(name);
    }
    names.dedup();
    let mut done = Vec::new();
    if !names.is_empty() {
        done.push(format!("took back what others than the owner could use: {}", names.join(", ")));
    }
    let may_use: bool = sqlx::query_scalar("SELECT has_schema_privilege('cofrap_app', 'identity', 'USAGE')")
        .fetch_one(&mut *transaction)
        .await?;
    if !may_use {
        run(transaction, "GRANT USAGE ON SCHEMA identity TO cofrap_app").await?;
        done.push("let cofrap_app use the schema again".to_owned());
    }
    Ok(done)
}
