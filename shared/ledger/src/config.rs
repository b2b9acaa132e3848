//! Platforms and landing zones, versioned.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenant::{
    ConfigurationEntry, Failure, Kind, LandingZone, Platform, RollOutTransition, Spec, Versions,
};

use crate::{
    Error, Ledger,
    item::{self, Key},
};

/// A document with the version that it has in the ledger.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Versioned<S> {
    /// The document's name.
    pub name: String,
    /// Grows with each change.
    pub version: u64,
    /// What was written.
    pub spec: S,
    /// Who wrote it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// The version that last changed anything for its tenants.
    #[serde(default)]
    pub changed: u64,
}

impl Ledger {
    /// A platform or landing zone.
    pub async fn config<S: Spec>(&self, name: &str) -> Result<Option<Versioned<S>>, Error> {
        self.get(Key::config(S::KIND, name)).await
    }

    /// A landing zone and a platform, in one read.
    pub async fn configuration(
        &self,
        landing_zone: &str,
        platform: &str,
    ) -> Result<(Option<Versioned<LandingZone>>, Option<Versioned<Platform>>), Error> {
        let zone = Key::config(Kind::LandingZone, landing_zone);
        let platform = Key::config(Kind::Platform, platform);
        let mut rows = self.present(vec![zone.clone(), platform.clone()]).await?;
        let (zone, platform) = (rows.remove(&zone.pk), rows.remove(&platform.pk));
        Ok((zone.map(item::read).transpose()?, platform.map(item::read).transpose()?))
    }

    /// All platforms or landing zones.
    pub async fn configs<S: Spec>(&self) -> Result<Vec<Versioned<S>>, Error> {
        self.rows(&Key::config(S::KIND, "").pk, "CONFIG#").await
    }

    /// Writes a platform or landing zone as the version that follows the one that was read, with its history entry and
    /// the roll-out of that change, if there is one: all or none.
    pub async fn configure<S: Spec>(
        &self,
        document: &Versioned<S>,
        entry: &ConfigurationEntry,
        roll_out: Option<&RollOutTransition>,
    ) -> Result<(), Error> {
        let put = self
            .put(item::write(&Key::config(S::KIND, &document.name), document)?)
            .condition_expression("attribute_not_exists(pk) OR version = :before")
            .expression_attribute_values(":before", version(document.version - 1))
            .build()
            .map_err(|error| Error::Failure(Failure::defect(error.to_string())))?;
        let put = TransactWriteItem::builder().put(put).build();
        let mut items = vec![put, self.put_config_entry(entry)?];
        if let Some(roll_out) = roll_out {
            items.extend(self.turned_roll_out(roll_out)?);
        }
        self.transact(items).await
    }

    /// Deletes the platform or landing zone that was read, with its history entry: all or none. Its roll-out has nobody
    /// left to come to and goes along; so does how far a survey of a platform has come, since the next organization of
    /// that name may be another. Its breaker and its count of the day stay: they are of the organization, which goes on.
    pub async fn unconfigure<S: Spec>(
        &self,
        before: &Versioned<S>,
        entry: &ConfigurationEntry,
    ) -> Result<(), Error> {
        let name = &before.name;
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(Key::config(S::KIND, name).item()))
            .condition_expression("version = :before")
            .expression_attribute_values(":before", version(before.version))
            .build()
            .map_err(|error| Error::Failure(Failure::defect(error.to_string())))?;
        let mut items = vec![
            TransactWriteItem::builder().delete(delete).build(),
            self.put_config_entry(entry)?,
            self.delete(&Key::roll_out(S::KIND, name))?,
        ];
        if S::KIND == Kind::Platform {
            items.push(self.delete(&Key::survey(name))?);
        }
        self.transact(items).await
    }

    fn put_config_entry(&self, entry: &ConfigurationEntry) -> Result<TransactWriteItem, Error> {
        // Two specs of 64 KB at the most: a row has room for 400.
        let key = Key::config_history(entry.kind, &entry.name, entry.version);
        Ok(self.put_new(item::write(&key, entry)?))
    }

    /// What happened last to a landing zone or platform, whether there still is one or not.
    pub async fn last_config_entry(
        &self,
        kind: Kind,
        name: &str,
    ) -> Result<Option<ConfigurationEntry>, Error> {
        let all = span(Some((kind, name)), None);
        let (mut last, _) = self.between(histories(), all, false, 1).await?;
        Ok(last.pop())
    }

    /// What happened to one landing zone or platform, or to all of them name after name: the oldest first, behind an
    /// entry, and whether there is more.
    pub async fn config_history(
        &self,
        of: Option<(Kind, &str)>,
        after: Option<(Kind, &str, u64)>,
        most: i32,
    ) -> Result<(Vec<ConfigurationEntry>, bool), Error> {
        self.between(histories(), span(of, after), true, most).await
    }

    /// What a run of a tenant of this landing zone and platform begins with now.
    pub async fn versions(&self, landing_zone: &str, platform: &str) -> Result<Versions, Error> {
        #[derive(Deserialize)]
        struct Changed {
            #[serde(default)]
            changed: u64,
        }
        let zone = Key::config(Kind::LandingZone, landing_zone);
        let platform = Key::config(Kind::Platform, platform);
        let mut rows = self.present(vec![zone.clone(), platform.clone()]).await?;
        let mut changed = |key: &Key| match rows.remove(&key.pk) {
            Some(row) => item::read::<Changed>(row).map(|row| row.changed),
            None => Ok(0),
        };
        Ok(Versions { landing_zone: changed(&zone)?, platform: changed(&platform)? })
    }
}

fn version(version: u64) -> AttributeValue {
    AttributeValue::N(version.to_string())
}

/// The partition in which the entries of all landing zones and platforms lie.
fn histories() -> String {
    Key::config_history(Kind::Platform, "", 0).pk
}

/// Where entries begin and end among the sort keys: those of one name or of all, behind an entry.
pub(crate) fn span(of: Option<(Kind, &str)>, after: Option<(Kind, &str, u64)>) -> (String, String) {
    let whose = of.map(|(kind, name)| format!("{}#{name}#", kind.as_str())).unwrap_or_default();
    let all = format!("HISTORY#{whose}");
    let behind = after
        .map(|(kind, name, version)| format!("{}#", Key::config_history(kind, name, version).sk));
    // What follows `#` is `$`: the end is behind everything that begins alike.
    let end = format!("{}$", all.trim_end_matches('#'));
    (behind.unwrap_or(all), end)
}
