//! `landfall sandbox fault …`: makes calls fail, to see what then happens.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Context, Control, State};
use crate::exit::{Exit, Trouble};
use crate::show::table;

/// What can be done with faults.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sets a fault: the calls that it is for, and what happens to them.
    Set(Set),
    /// Prints the faults that are set, with how often each was met.
    List,
    /// Takes a fault away; without an id, all.
    Clear {
        /// The fault's id.
        id: Option<u64>,
    },
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// It is refused before its effect.
    Error,
    /// It has its effect, but the answer is lost.
    LostResponse,
    /// It is refused as too fast.
    Throttle,
    /// The function is killed after the call's effect.
    Kill,
    /// The function hangs after the call's effect until its time-out.
    Timeout,
    /// The read is answered as before the last write.
    Stale,
    /// The invocation is refused for want of concurrency.
    #[value(name = "lambda-429")]
    Lambda429,
    /// The execution that makes the invocation is aborted.
    Abort,
}

/// Arguments of `sandbox fault set`.
#[derive(Args, Debug)]
pub struct Set {
    /// The call's IAM action, such as `organizations:MoveAccount`.
    #[arg(long)]
    action: String,
    /// What happens to it.
    #[arg(long, value_enum)]
    kind: Kind,
    /// Only in this step.
    #[arg(long)]
    step: Option<String>,
    /// Only for the tenant with this id.
    #[arg(long)]
    tenant: Option<String>,
    /// Only for this state machine.
    #[arg(long)]
    machine: Option<String>,
    /// From which such call of a step on it happens.
    #[arg(long, default_value_t = 1)]
    occurrence: u32,
    /// To how many calls it happens.
    #[arg(long, default_value_t = 1)]
    times: u32,
    /// The error's code, for kind `error`.
    #[arg(long, requires = "status")]
    code: Option<String>,
    /// The error's HTTP status, for kind `error`.
    #[arg(long, requires = "code")]
    status: Option<u16>,
}

impl Set {
    fn fault(&self) -> Value {
        let kind = self.kind.to_possible_value().map(|value| value.get_name().to_owned());
        let mut fault = json!({
            "action": self.action, "kind": kind, "occurrence": self.occurrence, "times": self.times,
        });
        for (name, value) in
            [("step", &self.step), ("tenant", &self.tenant), ("machine", &self.machine)]
        {
            if let Some(value) = value {
                fault[name] = value.as_str().into();
            }
        }
        if let Some(code) = &self.code {
            fault["error"] = json!({"code": code, "status": self.status});
        }
        fault
    }
}

/// Sets, lists or clears faults.
pub async fn run(context: &Context, command: Command) -> Result<Exit, Trouble> {
    let control = Control::new(&State::load()?.endpoint);
    match command {
        Command::Set(arguments) => {
            let set = control.set_fault(arguments.fault()).await?;
            context.terminal.print(set["id"].to_string());
        }
        Command::List => {
            let rows: Vec<Vec<String>> = control.faults().await?.iter().map(row).collect();
            context.terminal.print(table(
                &["ID", "KIND", "ACTION", "STEP", "FROM CALL", "TIMES", "MET"],
                &rows,
            ));
        }
        Command::Clear { id } => control.clear_faults(id).await?,
    }
    Ok(Exit::Ok)
}

fn row(fault: &Value) -> Vec<String> {
    ["id", "kind", "action", "step", "occurrence", "times", "hits"]
        .map(|name| match &fault[name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_set_as_the_sandbox_spells_it() {
        let set = Set {
            action: "lambda:InvokeFunction".to_owned(),
            kind: Kind::Lambda429,
            step: Some("admit".to_owned()),
            tenant: None,
            machine: None,
            occurrence: 2,
            times: 3,
            code: None,
            status: None,
        };
        let expected = json!({
            "action": "lambda:InvokeFunction", "kind": "lambda-429", "step": "admit", "occurrence": 2, "times": 3
        });
        assert_eq!(set.fault(), expected);
    }
}
