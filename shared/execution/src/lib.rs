//! Starts and wakes executions of the replication's state machine.

use aws_config::SdkConfig;
use aws_sdk_sfn::{Client, error::ProvideErrorMetadata};
use refusal::{Refusal, Row};
use tenant::{Failure, FailureName, Ticket};

const TABLE: &[Row] = &[
    (
        "ExecutionLimitExceeded",
        "",
        FailureName::Throttled,
        "Too many replications run; it is tried again.",
    ),
    (
        "StateMachineDoesNotExist",
        "",
        FailureName::Blocked,
        "Landfall is not completely deployed. Ask Landfall's operators to deploy it again.",
    ),
    (
        "StateMachineDeleting",
        "",
        FailureName::Blocked,
        "Landfall is being removed. Ask Landfall's operators whether it comes back.",
    ),
];

/// The replication's state machine.
#[derive(Clone, Debug)]
pub struct Executions {
    client: Client,
    machine: String,
}

/// What came of a start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// The execution runs, from now on or already.
    Running,
    /// An execution of this name ran and ended.
    Ended,
}

impl Executions {
    /// The state machine with this ARN.
    #[must_use]
    pub fn new(config: &SdkConfig, machine: impl Into<String>) -> Self {
        Self { client: Client::new(config), machine: machine.into() }
    }

    /// Starts the execution of a ticket. Its name makes a second start harmless: it finds the first one running, or
    /// ended.
    pub async fn start(&self, ticket: &Ticket) -> Result<Start, Failure> {
        let input =
            serde_json::to_string(ticket).map_err(|error| Failure::defect(error.to_string()))?;
        let answer = self
            .client
            .start_execution()
            .state_machine_arn(&self.machine)
            .name(ticket.execution())
            .input(input)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Start::Running),
            Err(error) if error.code() == Some("ExecutionAlreadyExists") => Ok(Start::Ended),
            Err(error) => Err(Refusal::of("states:StartExecution", &error).failure(TABLE)),
        }
    }

    /// Wakes whoever left this token. One that is gone already was woken otherwise.
    pub async fn wake(&self, token: &str) -> Result<(), Failure> {
        match self.client.send_task_success().task_token(token).output("{}").send().await {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(
                    error.code(),
                    Some("TaskTimedOut" | "TaskDoesNotExist" | "InvalidToken")
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(Refusal::of("states:SendTaskSuccess", &error).failure(TABLE)),
        }
    }
}
