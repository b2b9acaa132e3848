//! What is awaited from AWS, and what AWS said without being asked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use step::Awaited;
use uuid::Uuid;

use crate::{
    Error, Ledger,
    item::{self, Key},
};

/// Who waits for an operation.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Waiter {
    /// The tenant.
    pub tenant: Uuid,
    /// Its step.
    pub step: String,
    /// Which of several alike parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// What an event said of one request for an account.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CreationResult {
    /// The request's id.
    pub id: String,
    /// The account, if there is one now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When the event came in.
    pub at: Timestamp,
}

impl Ledger {
    /// Notes who waits for an operation, so that its event wakes the right step.
    pub async fn wait_for(
        &self,
        awaited: &Awaited,
        waiter: &Waiter,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = Key::operation(&awaited.kind, &awaited.id);
        self.overwrite(item::expiring(item::write(&key, waiter)?, now, 7)).await
    }

    /// Who waits for this operation.
    pub async fn waiter(&self, kind: &str, id: &str) -> Result<Option<Waiter>, Error> {
        self.get(Key::operation(kind, id)).await
    }

    /// Keeps what an event said of a request for an account, known to us or not, for thirty days.
    pub async fn keep(&self, result: &CreationResult) -> Result<(), Error> {
        let key = Key::creation_result(result.at, &result.id);
        self.overwrite(item::expiring(item::write(&key, result)?, result.at, 30)).await
    }

    /// What events said of requests for accounts since then.
    pub async fn kept(&self, since: Timestamp) -> Result<Vec<CreationResult>, Error> {
        let Key { pk, .. } = Key::creation_result(since, "");
        let all: Vec<CreationResult> = self.rows(&pk, "EVENT#").await?;
        Ok(all.into_iter().filter(|result| result.at >= since).collect())
    }
}
