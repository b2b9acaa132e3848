//! Tells programs over `EventBridge` and people over SNS.
//!
//! Both answer once they have taken what they are told; what they have not taken is to be told again.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use refusal::{Refusal, Row};
use tenant::{Failure, FailureName, Happening, Message};

/// The source of Landfall's events.
pub const SOURCE: &str = "landfall";
/// The type of an event that says that a tenant's phase is another one.
pub const PHASE_CHANGED: &str = "Tenant Phase Changed";
/// The type of an event that says that something else of a tenant is other than wished, with its phase as it was.
pub const DRIFT_CHANGED: &str = "Tenant Drift Changed";
/// How many events `EventBridge` takes in one call.
pub const MOST: usize = 10;

const TABLE: &[Row] = &[(
    "NotFound",
    "",
    FailureName::Blocked,
    "The topic for what needs a person is not there. Ask Landfall's operators to deploy the stack again.",
)];

/// Who is told.
#[derive(Clone, Debug)]
pub struct Announcer {
    bus: aws_sdk_eventbridge::Client,
    topic: aws_sdk_sns::Client,
    topic_arn: String,
}

impl Announcer {
    /// The account's default bus, and the topic with this ARN.
    #[must_use]
    pub fn new(config: &SdkConfig, topic_arn: impl Into<String>) -> Self {
        Self {
            bus: aws_sdk_eventbridge::Client::new(config),
            topic: aws_sdk_sns::Client::new(config),
            topic_arn: topic_arn.into(),
        }
    }

    /// Puts at most [`MOST`] events on the bus; says of each whether the bus took it.
    pub async fn put(&self, changes: &[&Happening]) -> Result<Vec<bool>, Failure> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let entries = changes.iter().map(|change| entry(change)).collect::<Result<_, _>>()?;
        let answer = self
            .bus
            .put_events()
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| Refusal::of("events:PutEvents", &error).failure(&[]))?;
        let entries = answer.entries();
        for refused in entries.iter().filter(|entry| entry.event_id.is_none()) {
            let (code, message) = (refused.error_code(), refused.error_message());
            tracing::warn!(code, message, "the bus did not take an event; it is put again");
        }
        let taken = |at: usize| entries.get(at).is_some_and(|entry| entry.event_id.is_some());
        Ok((0..changes.len()).map(taken).collect())
    }

    /// Tells people.
    pub async fn publish(&self, message: Message) -> Result<(), Failure> {
        self.topic
            .publish()
            .topic_arn(&self.topic_arn)
            .subject(message.subject)
            .message(message.text)
            .send()
            .await
            .map_err(|error| Refusal::of("sns:Publish", &error).failure(TABLE))?;
        Ok(())
    }
}

fn entry(change: &Happening) -> Result<PutEventsRequestEntry, Failure> {
    let detail =
        serde_json::to_string(change).map_err(|error| Failure::defect(error.to_string()))?;
    Ok(PutEventsRequestEntry::builder()
        .source(SOURCE)
        .detail_type(if change.changes_phase() { PHASE_CHANGED } else { DRIFT_CHANGED })
        .detail(detail)
        .build())
}
