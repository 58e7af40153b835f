//! `export`: what is stored about somebody, for an owner who cannot log in (GDPR article 15).
//!
//! Owns nothing but the command: what is stored, and how it is written down, is the account's page's (`journey`).

use anyhow::{Context, Result};
use journey::account::{document::Document, export_of};

use crate::{connection, schema, seam};

/// What no account has.
pub const NO_SUCH_ACCOUNT: &str = "there is no account of that name";

/// The JSON of the account of this name, whatever its state.
pub async fn run(name: &str) -> Result<Vec<String>> {
    let mut owner = connection::open().await?;
    schema::refuse_who_may_not_use_it(&mut owner).await?;
    let name = name.to_owned();
    let export = seam::look(owner, move |database| export_of(database, &name)).await?;
    let export = export.context(NO_SUCH_ACCOUNT)?;
    Ok(vec![serde_json::to_string(&Document::from(&export))?])
}
