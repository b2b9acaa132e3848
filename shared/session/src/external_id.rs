//! The external id: a secret that the roles of the foundation ask for, and that is changed now and then.

use std::{fmt, sync::Arc};

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use jiff::{SignedDuration, Timestamp};
use refusal::{Refusal, Row};
use serde::Deserialize;
use tenant::{Failure, FailureName};
use tokio::sync::Mutex;

const TABLE: &[Row] = &[
    (
        "ResourceNotFoundException",
        "",
        FailureName::Blocked,
        "A secret of Landfall's own is missing. Ask Landfall's operators to restore it.",
    ),
    (
        "DecryptionFailure",
        "",
        FailureName::Blocked,
        "A secret of Landfall's own can't be read. Ask Landfall's operators to restore its key.",
    ),
    (
        "InternalServiceError",
        "",
        FailureName::Transient,
        "AWS did not answer as expected; it is tried again.",
    ),
];

/// How long a change of the roles' trust may take to reach all of IAM, and then some.
const SPREADING: SignedDuration = SignedDuration::from_mins(5);

/// The external id, read once when the function starts and again only when a role refuses it.
#[derive(Clone)]
pub struct ExternalId(Arc<Known>);

struct Known {
    client: Client,
    secret: String,
    value: Mutex<Option<Value>>,
}

/// What the secret says. While it is rotated, roles take both values.
#[derive(Clone, Deserialize, Eq, PartialEq)]
pub(crate) struct Value {
    pub(crate) current: String,
    previous: Option<String>,
    /// When it was written.
    #[serde(skip)]
    since: Option<Timestamp>,
}

impl Value {
    /// The values that a role may take, the likelier one first.
    pub(crate) fn values(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// Whether it was written so lately that IAM may not show yet which values the roles take.
    pub(crate) fn spreads(&self, now: Timestamp) -> bool {
        self.since.is_some_and(|since| now.duration_since(since) < SPREADING)
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ExternalId").field(&self.0.secret).finish()
    }
}

impl ExternalId {
    /// The external id that a secret, named by its ARN, says.
    #[must_use]
    pub fn new(config: &SdkConfig, secret: &str) -> Self {
        let client = Client::new(config);
        Self(Arc::new(Known { client, secret: secret.to_owned(), value: Mutex::default() }))
    }

    /// Reads it before it is needed. A failure is left to whoever needs it.
    pub async fn warm(&self) {
        if !self.0.secret.is_empty() {
            self.known().await.ok();
        }
    }

    pub(crate) async fn known(&self) -> Result<Value, Failure> {
        let mut value = self.0.value.lock().await;
        if value.is_none() {
            *value = Some(self.read().await?);
        }
        value.clone().ok_or_else(|| Failure::defect("the external id was read and is not known"))
    }

    /// The value after `refused` did not open a role: read again, unless somebody else did so since.
    pub(crate) async fn again(&self, refused: &Value) -> Result<Value, Failure> {
        let mut value = self.0.value.lock().await;
        match &*value {
            Some(other) if other != refused => Ok(other.clone()),
            _ => Ok(value.insert(self.read().await?).clone()),
        }
    }

    async fn read(&self) -> Result<Value, Failure> {
        let Known { client, secret, .. } = &*self.0;
        if secret.is_empty() {
            return Err(Failure::defect(
                "LANDFALL_EXTERNAL_ID is not set: the template must say it",
            ));
        }
        let answer =
            client.get_secret_value().secret_id(secret).send().await.map_err(|error| {
                Refusal::of("secretsmanager:GetSecretValue", &error).failure(TABLE)
            })?;
        // The parser's own words may quote the secret.
        let value: Value = serde_json::from_str(answer.secret_string().unwrap_or_default())
            .map_err(|_| Failure::defect(format!("{secret} is not {{\"current\": …}}")))?;
        let since = answer.created_date().and_then(|date| Timestamp::from_second(date.secs()).ok());
        Ok(Value { since, ..value })
    }
}
