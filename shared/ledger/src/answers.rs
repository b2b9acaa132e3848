//! What people answer that a step waits for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Error, Ledger,
    item::{self, Key},
};

/// The kind of what a step awaits from a person.
pub const ANSWER: &str = "answer";
/// How long an answer is kept that nobody took.
const KEPT_DAYS: i64 = 1;

/// An answer to the question for the code that AWS mailed to a new address.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The code; without it another one is to be mailed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otp: Option<String>,
    /// When it was given.
    pub at: Timestamp,
}

impl std::fmt::Debug for Answer {
    /// A code is nobody's to read.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Answer").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Ledger {
    /// The answer that was given last, unless it was taken.
    pub async fn answer(&self, tenant: Uuid) -> Result<Option<Answer>, Error> {
        self.get(Key::answer(tenant)).await
    }

    /// Keeps an answer for the step that waits for it; a later one takes its place.
    pub async fn keep_answer(&self, tenant: Uuid, answer: &Answer) -> Result<(), Error> {
        let item = item::write(&Key::answer(tenant), answer)?;
        self.overwrite(item::expiring(item, answer.at, KEPT_DAYS)).await
    }

    /// Forgets an answer that was taken.
    pub async fn forget_answer(&self, tenant: Uuid) -> Result<(), Error> {
        self.forget(Key::answer(tenant)).await
    }
}
