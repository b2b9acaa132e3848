//! What each step of a tenant did last, and what it waits for.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use step::Awaited;
use tenant::{Failure, Tenant};
use uuid::Uuid;

use crate::{
    Error, Ledger, failed,
    item::{self, Key},
};

/// How far a step's last turn came.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A turn is under way.
    #[default]
    Running,
    /// AWS works on something that the step started.
    Waiting,
    /// What the step stands for is so.
    Done,
    /// The step failed.
    Failed,
    /// A newer wish overtook the step.
    Superseded,
}

/// A step's row.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StepRow {
    /// The step's name.
    pub step: String,
    /// Which of several alike parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The run that the rest of the row is about.
    pub run: u64,
    /// How far the step came.
    pub state: State,
    /// When the step's first turn in this run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When the step's last turn in this run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What was changed in this run; in a plan, what would be.
    #[serde(default)]
    pub changes: Vec<String>,
    /// What is not as wished for though the step did all it could; a requester reads it.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Until when a look may still show what was before a change of an earlier run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<Timestamp>,
    /// What the step waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited: Option<Awaited>,
    /// Whether only a person can do what it waits for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks_person: bool,
    /// What the step failed on in this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Wakes the execution that waits for the step; written by the state machine.
    #[serde(default, skip_serializing)]
    pub token: Option<String>,
    /// A hint came in while no token was there.
    #[serde(default, skip_serializing)]
    pub hinted: Option<bool>,
}

impl StepRow {
    /// An empty row of a step.
    #[must_use]
    pub fn new(step: &str, part: Option<&str>, run: u64) -> Self {
        Self { step: step.to_owned(), part: part.map(ToOwned::to_owned), run, ..Self::default() }
    }
}

impl Ledger {
    /// A tenant and one of its step's rows, in one read.
    pub async fn open(
        &self,
        id: Uuid,
        step: &str,
        part: Option<&str>,
    ) -> Result<(Option<Tenant>, Option<StepRow>), Error> {
        let (tenant, row) = (Key::tenant(id), Key::step(id, step, part));
        let mut found = (None, None);
        for item in self.some(vec![tenant.item(), row.item()]).await? {
            let is_tenant =
                matches!(item.get("sk"), Some(AttributeValue::S(sk)) if *sk == tenant.sk);
            if is_tenant {
                found.0 = Some(item::read(item)?);
            } else {
                found.1 = Some(item::read(item)?);
            }
        }
        Ok(found)
    }

    /// Takes a hint and a token off a step's row before the step looks: a hint from now on is news.
    pub async fn unhint(&self, id: Uuid, step: &str, part: Option<&str>) -> Result<(), Error> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::step(id, step, part).item()))
            .update_expression("REMOVE hinted, #token")
            .expression_attribute_names("#token", "token")
            .send()
            .await
            .map_err(|error| failed("dynamodb:UpdateItem", &error))?;
        Ok(())
    }

    /// Writes what a turn came to. A hint stays, and so does the token of a step that still waits; one that came late, while
    /// its step looked already, goes with the waiting.
    pub async fn close(&self, id: Uuid, row: &StepRow) -> Result<(), Error> {
        let key = Key::step(id, &row.step, row.part.as_deref());
        let mut item = item::write(&key, row)?;
        item.retain(|name, _| !key.item().contains_key(name));
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        for name in ["since", "until", "awaited", "failure"] {
            if !item.contains_key(name) {
                remove.push(format!("#{name}"));
            }
        }
        if row.state != State::Waiting {
            remove.push("#token".to_owned());
        }
        let names: Vec<String> =
            item.keys().cloned().chain(remove.iter().map(|name| name[1..].to_owned())).collect();
        for name in item.keys() {
            set.push(format!("#{name} = :{name}"));
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .update_expression(expression);
        for name in names {
            update = update.expression_attribute_names(format!("#{name}"), name);
        }
        for (name, value) in item {
            update = update.expression_attribute_values(format!(":{name}"), value);
        }
        update.send().await.map_err(|error| failed("dynamodb:UpdateItem", &error))?;
        Ok(())
    }

    /// All step rows of a tenant.
    pub async fn steps(&self, id: Uuid) -> Result<Vec<StepRow>, Error> {
        self.rows(&Key::tenant(id).pk, "STEP#").await
    }

    /// Marks a step's row as hinted, before there is one if need be; the token of whoever waits there, if it was left already.
    pub async fn hint(
        &self,
        id: Uuid,
        step: &str,
        part: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::step(id, step, part).item()))
            .update_expression("SET hinted = :true")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| failed("dynamodb:UpdateItem", &error))?;
        match answer.attributes.unwrap_or_default().get("token") {
            Some(AttributeValue::S(token)) => Ok(Some(token.clone())),
            _ => Ok(None),
        }
    }
}
