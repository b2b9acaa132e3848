//! What the template tells a function.

use lambda_runtime::Error;

/// The environment of a function.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The ledger's table.
    pub(crate) table: String,
    /// The replication's state machine.
    pub(crate) state_machine: String,
    /// ARN of the topic for what needs a person; empty for a function that tells nobody.
    pub topic: String,
    /// The URL of the queue of dead letters; empty for a function that does not read them.
    pub letters: String,
    /// ARNs of the functions that dead letters may be for, with commas between them.
    pub functions: String,
    /// ARN of the secret that says the external id; empty for a function that takes no sessions.
    pub(crate) external_id: String,
    /// The file by which the sandbox tells the time; none on AWS.
    pub(crate) clock: Option<String>,
}

impl Environment {
    pub(crate) fn read() -> Result<Self, Error> {
        Ok(Self {
            table: required("LANDFALL_TABLE")?,
            state_machine: std::env::var("LANDFALL_STATE_MACHINE").unwrap_or_default(),
            topic: std::env::var("LANDFALL_TOPIC").unwrap_or_default(),
            letters: std::env::var("LANDFALL_LETTERS").unwrap_or_default(),
            functions: std::env::var("LANDFALL_FUNCTIONS").unwrap_or_default(),
            external_id: std::env::var("LANDFALL_EXTERNAL_ID").unwrap_or_default(),
            clock: std::env::var("LANDFALL_CLOCK").ok(),
        })
    }
}

fn required(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|_| format!("{name} is not set: the template must say it").into())
}

/// The level that the function's logging configuration asks for.
pub(crate) fn log_level() -> tracing::Level {
    std::env::var("AWS_LAMBDA_LOG_LEVEL")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(tracing::Level::INFO)
}
