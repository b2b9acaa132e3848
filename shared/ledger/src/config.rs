//! Platforms and landing zones, versioned.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenant::Spec;

use crate::{
    Error, Ledger, failed,
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
    /// Whether every tenant that this version concerns has been asked to run.
    #[serde(default)]
    pub spread: bool,
}

impl Ledger {
    /// A platform or landing zone.
    pub async fn config<S: Spec>(&self, name: &str) -> Result<Option<Versioned<S>>, Error> {
        self.get(Key::config(S::KIND, name)).await
    }

    /// All platforms or landing zones.
    pub async fn configs<S: Spec>(&self) -> Result<Vec<Versioned<S>>, Error> {
        self.rows(&Key::config(S::KIND, "").pk, "CONFIG#").await
    }

    /// Writes a platform or landing zone as the version that follows the one that was read.
    pub async fn configure<S: Spec>(&self, document: &Versioned<S>) -> Result<(), Error> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::write(&Key::config(S::KIND, &document.name), document)?))
            .condition_expression("attribute_not_exists(pk) OR version = :before")
            .expression_attribute_values(
                ":before",
                AttributeValue::N((document.version - 1).to_string()),
            )
            .send()
            .await
            .map_err(|error| failed("dynamodb:PutItem", &error))?;
        Ok(())
    }

    /// Notes that every tenant that a version concerns has been asked to run; a later version knows nothing of it.
    pub async fn spread<S: Spec>(&self, name: &str, version: u64) -> Result<(), Error> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::config(S::KIND, name).item()))
            .update_expression("SET spread = :true")
            .condition_expression("version = :version")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()))
            .send()
            .await;
        match answer.map_err(|error| failed("dynamodb:UpdateItem", &error)) {
            Ok(_) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
