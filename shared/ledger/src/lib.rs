//! Remembers every tenant, run, wait and limit in one DynamoDB table.
//!
//! A transition is one transaction: the row, conditional on the version that the transition started from, and its one
//! history entry. Whoever comes second gets a [`Error::Conflict`] and starts anew from what is written now. The ledger
//! decides nothing; what may happen is decided by the pure transitions of the crate `tenant`.

mod access;
mod accounts;
mod adoption;
mod answers;
mod config;
mod events;
mod item;
mod limits;
mod plans;
mod roll_outs;
mod steps;
mod surveys;
mod tenants;
mod unmanaged;
mod untold;

use std::{collections::HashMap, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    types::{AttributeValue, KeysAndAttributes},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use refusal::Refusal;
use tenant::Failure;

pub use access::{AssignmentRow, Attempts, Granted, GroupRow, Said};
pub use accounts::EmailRow;
pub use answers::{ANSWER, Answer};
pub use config::Versioned;
pub use events::{CreationResult, Waiter};
pub use item::Key;
pub use plans::{ConfigurationPlanRow, Draft, PlanRow};
pub use steps::{State, StepRow};
pub use surveys::{Leg, Position, Scope, SurveyRow, Wanted};
pub use tenants::{AGAIN, List, listed_name};
pub use untold::Untold;

type Item = HashMap<String, AttributeValue>;

/// The one table.
#[derive(Clone, Debug)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// Why the ledger did not do what was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// Somebody else was first, or it is so already: read again and decide anew.
    Conflict,
    /// DynamoDB did not answer as it should.
    Failure(Failure),
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Conflict => formatter.write_str("somebody else was first"),
            Self::Failure(failure) => failure.fmt(formatter),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Conflict => Self::transient("ledger: somebody else was first"),
            Error::Failure(failure) => failure,
        }
    }
}

impl Ledger {
    /// The ledger in this table.
    #[must_use]
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        Self { client: Client::new(config), table: table.into() }
    }

    /// Opens the connection while a function starts, when it has the CPU for it.
    pub async fn warm(&self) {
        let key = Key::limit("warm");
        let _ =
            self.client.get_item().table_name(&self.table).set_key(Some(key.item())).send().await;
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, key: Key) -> Result<Option<T>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed("dynamodb:GetItem", &error))?;
        answer.item.map(item::read).transpose()
    }

    /// Writes a row in the place of what is there.
    async fn overwrite(&self, row: Item) -> Result<(), Error> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row))
            .send()
            .await
            .map_err(|error| failed("dynamodb:PutItem", &error))?;
        Ok(())
    }

    /// Takes a row away, if it is there.
    async fn forget(&self, key: Key) -> Result<(), Error> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .send()
            .await
            .map_err(|error| failed("dynamodb:DeleteItem", &error))?;
        Ok(())
    }

    /// The rows of a partition between two sort keys, from its first or from its last on, and whether there are more.
    async fn between<T: serde::de::DeserializeOwned>(
        &self,
        partition: String,
        (from, to): (String, String),
        is_forward: bool,
        most: i32,
    ) -> Result<(Vec<T>, bool), Error> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", AttributeValue::S(partition))
            .expression_attribute_values(":from", AttributeValue::S(from))
            .expression_attribute_values(":to", AttributeValue::S(to))
            .scan_index_forward(is_forward)
            .limit(most)
            .send()
            .await
            .map_err(|error| failed("dynamodb:Query", &error))?;
        let more = answer.last_evaluated_key.is_some();
        let rows = answer.items.unwrap_or_default().into_iter().map(item::read);
        Ok((rows.collect::<Result<_, _>>()?, more))
    }

    /// Some rows in one read, as many of them as there are; a hundred at the most.
    async fn some(&self, keys: Vec<Item>) -> Result<Vec<Item>, Error> {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .map_err(|error| Error::Failure(Failure::defect(error.to_string())))?;
        let answer = self
            .client
            .batch_get_item()
            .request_items(&self.table, keys)
            .send()
            .await
            .map_err(|error| failed("dynamodb:BatchGetItem", &error))?;
        if answer.unprocessed_keys.as_ref().is_some_and(|keys| !keys.is_empty()) {
            return Err(Error::Failure(Failure::transient("dynamodb:BatchGetItem left keys out")));
        }
        Ok(answer.responses.unwrap_or_default().into_values().flatten().collect())
    }

    /// All rows under one partition key whose sort key starts with `prefix`, in order.
    async fn rows<T: serde::de::DeserializeOwned>(
        &self,
        pk: &str,
        prefix: &str,
    ) -> Result<Vec<T>, Error> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .into_paginator()
            .items()
            .send();
        let mut rows = Vec::new();
        while let Some(found) = pages.next().await {
            rows.push(item::read(found.map_err(|error| failed("dynamodb:Query", &error))?)?);
        }
        Ok(rows)
    }

    /// The last of them, the latest first.
    async fn latest<T: serde::de::DeserializeOwned>(
        &self,
        pk: &str,
        prefix: &str,
        most: i32,
    ) -> Result<Vec<T>, Error> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .scan_index_forward(false)
            .limit(most)
            .send()
            .await
            .map_err(|error| failed("dynamodb:Query", &error))?;
        answer.items.unwrap_or_default().into_iter().map(item::read).collect()
    }
}

/// A conflict where DynamoDB found a condition not met; else a failure.
fn failed<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let refusal = Refusal::of(operation, error);
    let canceled = refusal.is(&["TransactionCanceledException"]);
    if refusal.is(&["ConditionalCheckFailedException"])
        || (canceled && refusal.message.contains("ConditionalCheckFailed"))
    {
        return Error::Conflict;
    }
    let busy = [
        "TransactionConflictException",
        "TransactionInProgressException",
        "TransactionCanceledException",
    ];
    Error::Failure(if refusal.is(&busy) {
        Failure::transient(refusal.system_remark())
    } else {
        refusal.failure(&[])
    })
}

/// Waits for a moment before a row that others write too is read anew: by chance, and the longer the more often they were
/// first, so that many who come at once do not all come again at once.
#[expect(clippy::disallowed_methods, reason = "a moment between two writers, not a wait for AWS")]
async fn step_aside(attempt: u32) {
    let longest = Duration::from_millis(5) * 2_u32.saturating_pow(attempt);
    tokio::time::sleep(longest.mul_f64(rand::random())).await;
}

#[cfg(test)]
mod tests;
