//! Reads the dead letters of one SQS queue, and sends each to its function again.
//!
//! A letter that is looked at is in hand for [`HELD`] at most: whoever took it gives it back or takes it away, and if they
//! can't, it comes back by itself. So looking never costs a letter, and one that was sent again before it was taken away is
//! at worst sent twice.

mod content;

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_lambda::{primitives::Blob, types::InvocationType};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName,
    QueueAttributeName,
};
use futures::future::join_all;
use jiff::Timestamp;
use refusal::{Refusal, Row};
use tenant::{Failure, FailureName};

pub use content::{Content, Named};

/// Seconds that a letter is in hand: as long as an HTTP API waits for an answer.
const HELD: i32 = 30;
/// Seconds that SQS looks for letters: with any time to wait it asks all its servers.
const LOOKED_FOR: i32 = 1;
/// Letters that SQS hands over at once.
const AT_ONCE: i32 = 10;

const TABLE: &[Row] = &[
    (
        "AWS.SimpleQueueService.NonExistentQueue",
        "",
        FailureName::Blocked,
        "The queue of dead letters is not there. Ask Landfall's operators to deploy the stack again.",
    ),
    (
        "QueueDoesNotExist",
        "",
        FailureName::Blocked,
        "The queue of dead letters is not there. Ask Landfall's operators to deploy the stack again.",
    ),
    (
        "ResourceNotFoundException",
        "",
        FailureName::Blocked,
        "The function that the letter is for is not there. Ask Landfall's operators to deploy the stack again.",
    ),
];

/// A letter in hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// Its id, the same whenever it is looked at.
    pub id: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// What stands in it.
    pub text: String,
    /// What that is, as far as it can be read.
    pub content: Content,
    receipt: String,
}

/// The queue of dead letters, and the functions that they may be for.
#[derive(Clone, Debug)]
pub struct Letters {
    queue: aws_sdk_sqs::Client,
    url: String,
    lambda: aws_sdk_lambda::Client,
    functions: Vec<String>,
}

/// What was taken in hand.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The letters, the oldest first.
    pub letters: Vec<Letter>,
    /// Whether there may be others.
    pub more: bool,
}

impl Letters {
    /// The queue with this URL; the ARNs of the functions have commas between them.
    #[must_use]
    pub fn new(config: &SdkConfig, url: impl Into<String>, functions: &str) -> Self {
        let functions = functions.split(',').filter(|arn| !arn.is_empty());
        Self {
            queue: aws_sdk_sqs::Client::new(config),
            url: url.into(),
            lambda: aws_sdk_lambda::Client::new(config),
            functions: functions.map(ToOwned::to_owned).collect(),
        }
    }

    /// The ARN of the function that a letter can be sent to, if it is one of ours and the event is there.
    #[must_use]
    pub fn function(&self, letter: &Letter) -> Option<&str> {
        letter.content.event.as_ref()?;
        let named = content::unqualified(letter.content.function.as_deref()?);
        let ours = self.functions.iter().find(|ours| content::unqualified(ours) == named);
        ours.map(String::as_str)
    }

    /// How many letters wait, by AWS's own estimate; those in hand count.
    pub async fn waiting(&self) -> Result<u64, Failure> {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let answer = self
            .queue
            .get_queue_attributes()
            .queue_url(&self.url)
            .set_attribute_names(Some(counts.to_vec()))
            .send()
            .await
            .map_err(|error| Refusal::of("sqs:GetQueueAttributes", &error).failure(TABLE))?;
        let known = answer.attributes.unwrap_or_default();
        let count = |name| known.get(name).and_then(|count| count.parse::<u64>().ok());
        Ok(counts.iter().filter_map(count).sum())
    }

    /// Takes letters in hand, `most` of them or a few more, or until one has this id.
    pub async fn take(&self, most: usize, wanted: Option<&str>) -> Result<Taken, Failure> {
        let mut taken: HashMap<String, Letter> = HashMap::new();
        let mut more = true;
        while taken.len() < most && !wanted.is_some_and(|wanted| taken.contains_key(wanted)) {
            let letters = match self.receive().await {
                Ok(letters) => letters,
                Err(failure) => {
                    self.give_back(taken.values()).await;
                    return Err(failure);
                }
            };
            more = !letters.is_empty();
            if !more {
                break;
            }
            // SQS may hand a letter over twice; the later receipt counts.
            taken.extend(letters.into_iter().map(|letter| (letter.id.clone(), letter)));
        }
        let mut letters: Vec<Letter> = taken.into_values().collect();
        letters.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        Ok(Taken { letters, more })
    }

    async fn receive(&self) -> Result<Vec<Letter>, Failure> {
        let answer = self
            .queue
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(AT_ONCE)
            .visibility_timeout(HELD)
            .wait_time_seconds(LOOKED_FOR)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .send()
            .await
            .map_err(|error| Refusal::of("sqs:ReceiveMessage", &error).failure(TABLE))?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(letter).collect())
    }

    /// Gives letters back, so that the next who looks sees them. One that can't be given back comes back by itself.
    pub async fn give_back(&self, letters: impl IntoIterator<Item = &Letter>) {
        let entries: Vec<_> = letters
            .into_iter()
            .enumerate()
            .filter_map(|(number, letter)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(&letter.receipt)
                    .visibility_timeout(0)
                    .build()
                    .ok()
            })
            .collect();
        let batches = entries.chunks(10).map(|batch| {
            self.queue
                .change_message_visibility_batch()
                .queue_url(&self.url)
                .set_entries(Some(batch.to_vec()))
                .send()
        });
        for answer in join_all(batches).await {
            if let Err(error) = answer {
                let refusal = Refusal::of("sqs:ChangeMessageVisibilityBatch", &error);
                tracing::warn!(refusal = %refusal.system_remark(), "letters come back a little later");
            }
        }
    }

    /// Hands a letter's event to this function, which works on it later.
    pub async fn send(&self, letter: &Letter, function: &str) -> Result<(), Failure> {
        let event = letter.content.event.as_ref().map(ToString::to_string).unwrap_or_default();
        self.lambda
            .invoke()
            .function_name(function)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(event))
            .send()
            .await
            .map_err(|error| Refusal::of("lambda:InvokeFunction", &error).failure(TABLE))?;
        Ok(())
    }

    /// Takes a letter away for ever.
    pub async fn take_away(&self, letter: &Letter) -> Result<(), Failure> {
        self.queue
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(&letter.receipt)
            .send()
            .await
            .map_err(|error| Refusal::of("sqs:DeleteMessage", &error).failure(TABLE))?;
        Ok(())
    }
}

fn letter(message: Message) -> Option<Letter> {
    let sent = message.attributes.unwrap_or_default();
    let sent = sent.get(&MessageSystemAttributeName::SentTimestamp);
    let since = sent.and_then(|sent| Timestamp::from_millisecond(sent.parse().ok()?).ok());
    let said: HashMap<String, String> = message
        .message_attributes
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.string_value?)))
        .collect();
    let text = message.body.unwrap_or_default();
    Some(Letter {
        id: message.message_id?,
        since: since.unwrap_or(Timestamp::UNIX_EPOCH),
        content: Content::read(&text, &said),
        text,
        receipt: message.receipt_handle?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn letters() -> Letters {
        let config = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("eu-central-1"))
            .build();
        let ours = "arn:aws:lambda:eu-central-1:123456789012:function:landfall-hear-events";
        Letters::new(&config, "https://queue", ours)
    }

    fn letter_for(function: &str, event: bool) -> Letter {
        let text = String::new();
        let content = Content {
            function: Some(function.to_owned()),
            event: event.then(|| json!({})),
            ..Content::default()
        };
        Letter {
            id: "1".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            text,
            content,
            receipt: "r".to_owned(),
        }
    }

    #[test]
    fn a_letter_goes_to_a_function_of_ours_and_to_no_other() {
        let letters = letters();
        let ours = "arn:aws:lambda:eu-central-1:123456789012:function:landfall-hear-events";
        for qualified in [ours.to_owned(), format!("{ours}:$LATEST"), format!("{ours}:live")] {
            assert_eq!(letters.function(&letter_for(&qualified, true)), Some(ours), "{qualified}");
        }
        assert_eq!(letters.function(&letter_for(ours, false)), None, "there is no event");
        for other in [
            "arn:aws:lambda:eu-central-1:123456789012:function:landfall-hear-events-too",
            "arn:aws:lambda:eu-central-1:444455556666:function:landfall-hear-events",
            "arn:aws:sqs:eu-central-1:123456789012:landfall-hear-events",
            "",
        ] {
            assert_eq!(letters.function(&letter_for(other, true)), None, "{other}");
        }
    }
}
