//! The functions of a release: installed, compared, retired.
//!
//! Owns: that what is installed is what this release calls, owned and callable as it should be; and which release calls
//! what. Leaves to others: the functions themselves (`journey`).

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use journey::functions::{DEFINITIONS, Definition, Kind};
use semver::Version;
use sqlx::FromRow;
use sqlx::postgres::PgConnection;

use crate::role::APPLICATION_ROLE;
use crate::schema::run;

/// This release.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// A function as the database has it.
#[derive(FromRow)]
struct Installed {
    name: String,
    body: String,
    language: String,
    volatility: String,
    is_strict: bool,
    is_definer: bool,
    settings: Vec<String>,
    /// Who may call it, in order.
    callers: Vec<String>,
}

const INSTALLED: &str = "
SELECT proname::text AS name, prosrc AS body, lanname::text AS language,
    provolatile::text AS volatility, proisstrict AS is_strict, prosecdef AS is_definer,
    coalesce(proconfig, '{}') AS settings,
    ARRAY(
        SELECT CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
        FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) ORDER BY 1) AS callers
FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
WHERE pronamespace = 'identity'::regnamespace";

impl Installed {
    fn differs_from(&self, wanted: &Definition) -> bool {
        let plain = |setting: &str| setting.replacen(" = ", "=", 1).replace('\'', "");
        let settings: Vec<String> = wanted.settings.iter().map(|setting| plain(setting)).collect();
        let volatility = if wanted.is_stable { "s" } else { "v" };
        (
            self.body.as_str(),
            self.language.as_str(),
            self.volatility.as_str(),
            self.is_strict,
            self.is_definer,
        ) != (wanted.body, wanted.language, volatility, false, wanted.kind == Kind::Entry)
            || self.settings != settings
    }
}

/// Installs what is missing, mends what differs, and says so. What is equal is left alone: plans that were made with it
/// stay.
///
/// # Errors
/// When PostgreSQL refuses.
pub async fn install(transaction: &mut PgConnection, owner: &str) -> Result<Vec<String>> {
    let owner: String =
        sqlx::query_scalar("SELECT quote_ident($1)").bind(owner).fetch_one(&mut *transaction).await?;
    let before = installed(transaction).await?;
    let (mut new, mut mended) = (0, Vec::new());
    for wanted in DEFINITIONS {
        match find(&before, wanted) {
            Some(there) if !there.differs_from(wanted) => continue,
            Some(_) => mended.push(wanted.name),
            None => new += 1,
        }
        run(transaction, wanted.create).await?;
    }
    let there = installed(transaction).await?;
    for wanted in DEFINITIONS {
        let found = find(&there, wanted).with_context(|| format!("{} was not installed", wanted.name))?;
        let was_mended = grant(transaction, wanted, &found.callers, &owner).await?;
        if was_mended && find(&before, wanted).is_some() && !mended.contains(&wanted.name) {
            mended.push(wanted.name);
        }
    }
    let names: Vec<&str> = DEFINITIONS.iter().map(|wanted| wanted.name).collect();
    sqlx::query(
        "INSERT INTO identity.release_function (release, name) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING",
    )
    .bind(RELEASE)
    .bind(names)
    .execute(transaction)
    .await?;
    let mut lines = vec![match new {
        0 => format!("all {} functions of release {RELEASE} are there", DEFINITIONS.len()),
        _ => format!("installed {new} of the {} functions of release {RELEASE}", DEFINITIONS.len()),
    }];
    lines.extend(mended.iter().map(|name| format!("mended identity.{name}, which somebody had changed")));
    Ok(lines)
}

async fn installed(connection: &mut PgConnection) -> Result<HashMap<String, Installed>> {
    let rows: Vec<Installed> = sqlx::query_as(INSTALLED).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.name.clone(), row)).collect())
}

fn find<'a>(installed: &'a HashMap<String, Installed>, wanted: &Definition) -> Option<&'a Installed> {
    installed.get(wanted.name)
}

/// Sees to it that its owner may call a function, the application an entry, and nobody else any.
async fn grant(
    transaction: &mut PgConnection,
    wanted: &Definition,
    callers: &[String],
    owner: &str,
) -> Result<bool> {
    let function = format!("identity.{}({})", wanted.name, wanted.types);
    let is_entry = wanted.kind == Kind::Entry;
    let may = |caller: &str| caller == owner || is_entry && caller == APPLICATION_ROLE;
    let mut changed = false;
    for caller in callers.iter().filter(|caller| !may(caller)) {
        run(transaction, &format!("REVOKE ALL ON FUNCTION {function} FROM {caller} CASCADE")).await?;
        changed = true;
    }
    for caller in [owner, APPLICATION_ROLE] {
        if may(caller) && !callers.iter().any(|other| other == caller) {
            run(transaction, &format!("GRANT EXECUTE ON FUNCTION {function} TO {caller}")).await?;
            changed = true;
        }
    }
    Ok(changed)
}

/// Removes the functions that only releases before this one call, and forgets those releases.
///
/// # Errors
/// When that would take functions of this release, or PostgreSQL refuses.
pub async fn retire(transaction: &mut PgConnection, before: &Version) -> Result<Vec<String>> {
    let this = Version::parse(RELEASE)?;
    if *before > this {
        bail!("release {RELEASE} is before {before}, and would lose its own functions");
    }
    let known: Vec<(String, String)> = sqlx::query_as("SELECT release, name FROM identity.release_function")
        .fetch_all(&mut *transaction)
        .await?;
    let is_retired = |release: &str| Version::parse(release).is_ok_and(|release| release < *before);
    let there = installed(transaction).await?;
    let is_still_called =
        |name: &str| known.iter().any(|(release, other)| other == name && !is_retired(release));
    let is_of_a_release = |name: &str| known.iter().any(|(_, other)| other == name);
    let mut gone: Vec<&String> =
        there.keys().filter(|name| is_of_a_release(name) && !is_still_called(name)).collect();
    gone.sort();
    for name in &gone {
        run(transaction, &format!("DROP FUNCTION identity.{name}")).await?;
    }
    let releases: Vec<&str> =
        known.iter().map(|(release, _)| release.as_str()).filter(|release| is_retired(release)).collect();
    sqlx::query("DELETE FROM identity.release_function WHERE release = ANY ($1)")
        .bind(releases)
        .execute(transaction)
        .await?;
    Ok(vec![format!("removed {} functions that only releases before {before} call", gone.len())])
}
