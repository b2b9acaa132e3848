//! What is deployed and therefore runs in the gateway: functions, rules, buses, APIs, machines.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Everything deployed, as the plug-in tells it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Deployment {
    /// Lambda functions.
    pub functions: Vec<Function>,
    /// EventBridge rules.
    pub rules: Vec<Rule>,
    /// Event buses that have a policy.
    pub buses: Vec<Bus>,
    /// Queues.
    pub queues: Vec<Queue>,
    /// HTTP APIs.
    pub apis: Vec<Api>,
    /// Step Functions state machines.
    pub state_machines: Vec<StateMachine>,
    /// Grows with each change.
    pub version: u64,
}

/// A Lambda function as it is, or a published version of it as it was.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Function {
    /// Name, unique in account and Region.
    pub name: String,
    /// Unqualified ARN.
    pub arn: String,
    /// Number of the published version.
    pub version: Option<String>,
    /// Names of the version.
    pub aliases: Vec<String>,
    /// What tells its code from other code.
    pub code: Option<String>,
    /// Account that owns it.
    pub account: String,
    /// Region that it is in.
    pub region: String,
    /// ARN of the execution role.
    pub role_arn: String,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Time-out in virtual seconds.
    pub timeout: f64,
    /// Memory in MB.
    pub memory: u32,
    /// Reserved concurrency.
    pub reserved_concurrency: Option<usize>,
    /// Resource policy: who may invoke it.
    pub policy: Option<Value>,
    /// Limits of asynchronous invocations.
    pub event_invoke: Option<EventInvoke>,
}

impl Function {
    /// What stands for the function as it is, in place of a version's number.
    pub const LATEST: &str = "$LATEST";

    /// The version's number, or `$LATEST`.
    pub fn qualifier(&self) -> &str {
        self.version.as_deref().unwrap_or(Self::LATEST)
    }

    /// Whether it is the same but for how it is named.
    pub fn is_like(&self, other: &Self) -> bool {
        let named =
            Self { version: other.version.clone(), aliases: other.aliases.clone(), ..self.clone() };
        named == *other
    }
}

/// Limits of a function's asynchronous invocations.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "PascalCase")]
pub struct EventInvoke {
    /// How often an event is tried again after an error.
    pub maximum_retry_attempts: Option<usize>,
    /// Virtual seconds after which an event is dropped.
    pub maximum_event_age_in_seconds: Option<f64>,
    /// Where records of invocations go.
    pub destination_config: Option<Destinations>,
}

impl EventInvoke {
    /// ARN of what takes the records of invocations that failed.
    pub fn on_failure(&self) -> Option<&str> {
        self.destination_config.as_ref()?.on_failure.as_ref()?.destination.as_deref()
    }
}

/// Where records of a function's asynchronous invocations go.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "PascalCase")]
pub struct Destinations {
    /// Where those go that failed.
    pub on_failure: Option<Destination>,
}

/// Where a record goes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "PascalCase")]
pub struct Destination {
    /// ARN of what takes it.
    pub destination: Option<String>,
}

/// An EventBridge rule.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Rule {
    /// Account that owns it.
    pub account: String,
    /// Region that it is in.
    pub region: String,
    /// Name of its bus.
    pub bus: String,
    /// Name, unique on its bus.
    pub name: String,
    /// ARN, if the plug-in tells it.
    pub arn: Option<String>,
    /// Event pattern, as a document or as its text.
    pub pattern: Option<Value>,
    /// Schedule expression.
    pub schedule: Option<String>,
    /// `ENABLED` or not.
    pub state: String,
    /// Where matched events go.
    pub targets: Vec<Target>,
}

/// A rule's target.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Target {
    /// Id, unique in the rule.
    pub id: String,
    /// ARN of what is called.
    pub arn: String,
    /// Role that EventBridge takes to call it.
    pub role_arn: Option<String>,
    /// Constant input in place of the event.
    pub input: Option<String>,
    /// The part of the event that is the input.
    pub input_path: Option<String>,
    /// ARN of the queue for what can't be delivered.
    pub dead_letter: Option<String>,
}

/// An event bus.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Bus {
    /// ARN.
    pub arn: String,
    /// Resource policy: who may put events on it.
    pub policy: Option<Value>,
}

/// A queue.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Queue {
    /// ARN.
    pub arn: String,
    /// Resource policy: who may use it.
    pub policy: Option<Value>,
}

/// An HTTP API.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Api {
    /// Id, the first label of its host name on AWS.
    pub id: String,
    /// Account that owns it.
    pub account: Option<String>,
    /// Region that it is in.
    pub region: Option<String>,
    /// Its routes.
    pub routes: Vec<Route>,
}

/// A route of an HTTP API.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Route {
    /// HTTP method, or `ANY`.
    pub method: String,
    /// Path with `{parameter}` segments.
    pub path: String,
    /// ARN of the function that answers.
    pub function_arn: String,
    /// `AWS_IAM` or `NONE`.
    pub auth: String,
}

/// A Step Functions state machine.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct StateMachine {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// ARN of the role that it calls with.
    pub role_arn: String,
}
