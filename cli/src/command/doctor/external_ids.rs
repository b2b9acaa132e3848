//! The external ids: two secrets of the automation account, and whose roles ask for them.

use std::fmt;

use aws_sdk_secretsmanager::Client;
use refusal::Refusal;
use serde::{Deserialize, Serialize};

use super::{Patient, Unanswered};

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Which {
    /// What the roles ask for that vend, look and close.
    Ours,
    /// What the role asks for that reads costs.
    Metering,
}

impl Which {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ours, Self::Metering];

    /// The secret's name.
    pub fn secret(self, stack: &str) -> String {
        match self {
            Self::Ours => format!("{stack}-external-id"),
            Self::Metering => format!("{stack}-metering-external-id"),
        }
    }
}

/// What a secret says.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct ExternalId {
    /// What functions ask with.
    pub current: String,
    /// What functions asked with before; roles still take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// What functions will ask with once every role takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ExternalId")
    }
}

impl ExternalId {
    /// Reads a secret.
    pub async fn read(patient: &Patient, which: Which) -> Result<Self, Unanswered> {
        let secret = which.secret(&patient.stack);
        let answer = Client::new(&patient.automation).get_secret_value().secret_id(&secret).send();
        let answer =
            answer.await.map_err(|error| Refusal::of("secretsmanager:GetSecretValue", &error))?;
        // The parser's own words may quote the secret.
        serde_json::from_str(answer.secret_string().unwrap_or_default())
            .map_err(|_| Unanswered(format!("the secret {secret} is not {{\"current\": …}}")))
    }

    /// Writes a secret.
    pub async fn write(&self, patient: &Patient, which: Which) -> Result<(), Unanswered> {
        let text = serde_json::to_string(self)
            .map_err(|_| Unanswered("an external id can't be written".to_owned()))?;
        Client::new(&patient.automation)
            .put_secret_value()
            .secret_id(which.secret(&patient.stack))
            .secret_string(text)
            .send()
            .await
            .map_err(|error| Refusal::of("secretsmanager:PutSecretValue", &error))?;
        Ok(())
    }

    /// Whether a rotation began and did not end.
    pub fn rotates(&self) -> bool {
        self.previous.is_some() || self.next.is_some()
    }
}
