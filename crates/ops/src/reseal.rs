//! `reseal`: moves what is sealed with an old key to the ring's first one, and says what hangs on which key.
//!
//! Owns: which values are sealed, and that a write of the service wins. Leaves to others: sealing (the domain).

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use domain::sealing::key_id;
use domain::{
    AccountId, CredentialId, KeyRing, RandomnessUnavailable, Sealable, Sealed, SealedColumn, TotpSecret,
    Unreadable, Verifier,
};
use uuid::Uuid;

use crate::arguments::Reseal;
use crate::connection::Owner;
use crate::keys::{self, OperatingSystemRandomness};
use crate::{connection, schema, terminal};

/// How many credentials are looked at between two lines of progress.
const PROGRESS_EVERY: usize = 10_000;

/// A page of credentials, live and unconfirmed, in the order of their ids.
const PAGE: &str = "
SELECT id, account_id, verifier, totp_secret FROM identity.credential WHERE id > $1 ORDER BY id LIMIT $2";

/// Replaces what still is what was read, and nothing else: a write of the service in between wins. The revision stays,
/// because what is sealed does. The accounts are locked first, in an order, so that two runs wait for one another.
const REPLACE_VERIFIERS: &str = "
WITH owner AS MATERIALIZED (
    SELECT id FROM identity.account WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE)
UPDATE identity.credential SET verifier = resealed.new
FROM owner, unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS resealed (id, old, new)
WHERE credential.account_id = owner.id AND credential.id = resealed.id AND credential.verifier = resealed.old";

/// The same for the other column.
const REPLACE_TOTP_SECRETS: &str = "
WITH owner AS MATERIALIZED (
    SELECT id FROM identity.account WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE)
UPDATE identity.credential SET totp_secret = resealed.new
FROM owner, unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS resealed (id, old, new)
WHERE credential.account_id = owner.id AND credential.id = resealed.id AND credential.totp_secret = resealed.old";

/// A sealed value as it was read, and whose it is.
struct Value {
    column: SealedColumn,
    account: AccountId,
    credential: CredentialId,
    blob: Vec<u8>,
}

/// What hangs on which key, and what opens with none.
#[derive(Default)]
struct Tally {
    by_key: BTreeMap<String, usize>,
    without_key: usize,
    unreadable: usize,
}

/// Re-seals, unless it is only asked to look, and then looks at every value: what it reports is what is stored.
pub async fn run(options: &Reseal) -> Result<Vec<String>> {
    let keys = keys::ring()?;
    let mut owner = connection::open().await?;
    schema::refuse_who_may_not_use_it(&mut owner).await?;
    if !options.check {
        let resealed = reseal(&mut owner, &keys, options.batch).await?;
        terminal::say(format_args!("{resealed} values were sealed again, with {}", keys.writing_key_id()));
    }
    let tally = tally(&mut owner, &keys, options.batch).await?;
    owner.close().await?;
    tally.report(&keys)
}

async fn reseal(owner: &mut Owner, keys: &KeyRing, batch: u32) -> Result<u64> {
    let (mut last, mut seen, mut resealed) = (Uuid::nil(), 0, 0);
    loop {
        let (values, next) = page(owner, last, batch).await?;
        let Some(next) = next else { return Ok(resealed) };
        for column in [SealedColumn::CredentialVerifier, SealedColumn::CredentialTotpSecret] {
            let values = values.iter().filter(|value| value.column == column);
            resealed += replace(owner, column, values, keys).await?;
        }
        progress(&mut seen, batch, || format!("{resealed} values sealed again so far"));
        last = next;
    }
}

async fn tally(owner: &mut Owner, keys: &KeyRing, batch: u32) -> Result<Tally> {
    let mut tally = Tally::default();
    let (mut last, mut seen) = (Uuid::nil(), 0);
    loop {
        let (values, next) = page(owner, last, batch).await?;
        let Some(next) = next else { return Ok(tally) };
        values.iter().for_each(|value| tally.add(value, keys));
        progress(&mut seen, batch, || "looking at what is stored".to_owned());
        last = next;
    }
}

/// The sealed values of the credentials after `last`, and the last of these; none when there is no more.
async fn page(owner: &mut Owner, last: Uuid, batch: u32) -> Result<(Vec<Value>, Option<Uuid>)> {
    type Row = (Uuid, Uuid, Option<Vec<u8>>, Option<Vec<u8>>);
    let mut transaction = owner.begin().await?;
    let rows: Vec<Row> =
        sqlx::query_as(PAGE).bind(last).bind(i64::from(batch)).fetch_all(&mut *transaction).await?;
    transaction.commit().await?;
    let next = rows.last().map(|(id, ..)| *id);
    let values = rows.into_iter().flat_map(|(id, account_id, verifier, totp_secret)| {
        let (account, credential) = (AccountId::from_uuid(account_id), CredentialId::from_uuid(id));
        let value = move |column, blob| Some(Value { column, account, credential, blob: blob? });
        [
            value(SealedColumn::CredentialVerifier, verifier),
            value(SealedColumn::CredentialTotpSecret, totp_secret),
        ]
    });
    Ok((values.flatten().collect(), next))
}

/// Seals the values of one column again that are under an old key and open, and returns how many were replaced.
async fn replace(
    owner: &mut Owner,
    column: SealedColumn,
    values: impl Iterator<Item = &Value>,
    keys: &KeyRing,
) -> Result<u64> {
    let (mut accounts, mut ids, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for value in values {
        if let Some(blob) = value.resealed(keys).context("a value cannot be sealed")? {
            accounts.push(*value.account.as_uuid());
            ids.push(*value.credential.as_uuid());
            old.push(value.blob.as_slice());
            new.push(blob);
        }
    }
    if ids.is_empty() {
        return Ok(0);
    }
    let statement = match column {
        SealedColumn::CredentialVerifier => REPLACE_VERIFIERS,
        SealedColumn::CredentialTotpSecret => REPLACE_TOTP_SECRETS,
    };
    let mut transaction = owner.begin().await?;
    let replaced = sqlx::query(statement)
        .bind(accounts)
        .bind(ids)
        .bind(old)
        .bind(new)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(replaced.rows_affected())
}

fn progress(seen: &mut usize, batch: u32, what: impl Fn() -> String) {
    let before = *seen / PROGRESS_EVERY;
    *seen += usize::try_from(batch).unwrap_or_default();
    if *seen / PROGRESS_EVERY > before {
        terminal::note(format_args!("credential {seen}: {}", what()));
    }
}

impl Value {
    /// The same secret, sealed with the ring's first key; none when it already is, or does not open.
    fn resealed(&self, keys: &KeyRing) -> Result<Option<Vec<u8>>, RandomnessUnavailable> {
        if key_id(&self.blob) == Ok(keys.writing_key_id()) {
            return Ok(None);
        }
        let mut randomness = OperatingSystemRandomness;
        match self.column {
            SealedColumn::CredentialVerifier => self.sealed_again(keys, |verifier: &Verifier| {
                verifier.seal(keys, self.account, self.credential, &mut randomness)
            }),
            SealedColumn::CredentialTotpSecret => self.sealed_again(keys, |secret: &TotpSecret| {
                secret.seal(keys, self.account, self.credential, &mut randomness)
            }),
        }
    }

    fn sealed_again<T: Sealable>(
        &self,
        keys: &KeyRing,
        seal: impl FnOnce(&T) -> Result<Sealed<T>, RandomnessUnavailable>,
    ) -> Result<Option<Vec<u8>>, RandomnessUnavailable> {
        // What does not open is named when all is looked at.
        let Ok(secret) = self.open::<T>(keys) else { return Ok(None) };
        Ok(Some(seal(&secret)?.as_bytes().to_vec()))
    }

    fn open<T: Sealable>(&self, keys: &KeyRing) -> Result<T, Unreadable> {
        Sealed::from_bytes(self.blob.clone()).open(keys, self.account, self.credential)
    }

    fn check(&self, keys: &KeyRing) -> Result<(), Unreadable> {
        match self.column {
            SealedColumn::CredentialVerifier => self.open::<Verifier>(keys).map(drop),
            SealedColumn::CredentialTotpSecret => self.open::<TotpSecret>(keys).map(drop),
        }
    }
}

impl Tally {
    fn add(&mut self, value: &Value, keys: &KeyRing) {
        match key_id(&value.blob) {
            Ok(id) => *self.by_key.entry(id.to_owned()).or_default() += 1,
            Err(_) => self.without_key += 1,
        }
        if let Err(unreadable) = value.check(keys) {
            self.unreadable += 1;
            terminal::note(format_args!("does not open: {unreadable}"));
        }
    }

    /// How many values hang on each key.
    ///
    /// # Errors
    /// When one hangs on another key than the first, or does not open: the other keys are still needed, or lost.
    fn report(mut self, keys: &KeyRing) -> Result<Vec<String>> {
        let first = keys.writing_key_id();
        let done = self.by_key.remove(first).unwrap_or_default();
        let mut lines = vec![format!("{done} values are sealed with {first}, which seals")];
        lines.extend(self.by_key.iter().map(|(id, count)| format!("{count} values are sealed with {id}")));
        if self.without_key > 0 {
            lines.push(format!("{} values name no key", self.without_key));
        }
        let old: usize = self.by_key.values().sum();
        if old + self.without_key + self.unreadable == 0 {
            return Ok(lines);
        }
        lines.iter().for_each(terminal::say);
        bail!("{old} values are not sealed with {first} yet, and {} do not open", self.unreadable)
    }
}
