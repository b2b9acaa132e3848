//! Platforms and landing zones, versioned.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenant::{Failure, Kind, LandingZone, Platform, RollOutTransition, Spec, Versions};

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

    /// Writes a platform or landing zone as the version that follows the one that was read, and with it the roll-out of
    /// that change, if there is one: both or none.
    pub async fn configure<S: Spec>(
        &self,
        document: &Versioned<S>,
        roll_out: Option<&RollOutTransition>,
    ) -> Result<(), Error> {
        let put = self
            .put(item::write(&Key::config(S::KIND, &document.name), document)?)
            .condition_expression("attribute_not_exists(pk) OR version = :before")
            .expression_attribute_values(
                ":before",
                AttributeValue::N((document.version - 1).to_string()),
            )
            .build()
            .map_err(|error| Error::Failure(Failure::defect(error.to_string())))?;
        let mut items = vec![TransactWriteItem::builder().put(put).build()];
        if let Some(roll_out) = roll_out {
            items.extend(self.turned_roll_out(roll_out)?);
        }
        self.transact(items).await
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
