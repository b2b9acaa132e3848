//! Letters: what could not be delivered or handled, left in a queue by whoever may send to it.

use serde_json::{Value, json};

use crate::authorization::Verdict;
use crate::clock::{timestamp, wall};
use crate::deployment::Rule;
use crate::error::Error;
use crate::events::rule_arn;
use crate::gateway::Gateway;
use crate::judge::{Acting, demand, judge, judge_service};
use crate::lambda::environment::{holder, session};
use crate::lambda::pool::Pool;
use crate::log::Entry;

/// Who leaves a letter.
#[derive(Clone, Copy, Debug)]
pub enum Sender<'a> {
    /// Lambda, as the role of a function.
    Function(&'a Pool),
    /// EventBridge, for a rule.
    Rule(&'a Rule),
}

impl Sender<'_> {
    fn place(&self) -> (&str, &str) {
        match self {
            Self::Function(pool) => (&pool.function.account, &pool.function.region),
            Self::Rule(rule) => (&rule.account, &rule.region),
        }
    }
}

/// Leaves a letter with its attributes in a queue; one that its sender may not leave is lost, as on AWS.
pub async fn leave(
    gateway: &Gateway,
    queue: &str,
    text: &str,
    attributes: &Value,
    sender: Sender<'_>,
) {
    let (account, region) = sender.place();
    let mut entry = Entry {
        at: gateway.clock.timestamp().to_string(),
        wall: timestamp(wall()).to_string(),
        account: account.to_owned(),
        region: region.to_owned(),
        service: "sqs".to_owned(),
        operation: "SendMessage".to_owned(),
        action: "sqs:SendMessage".to_owned(),
        resource: queue.to_owned(),
        write: true,
        ..Entry::default()
    };
    match judged(gateway, sender, &mut entry).await {
        Ok(verdict) if verdict.allowed => {
            verdict.decision.clone_into(&mut entry.decision);
            let letter = json!({"queue": queue, "text": text, "attributes": attributes});
            match gateway.moto.post("/landfall/letter", &letter).await {
                Ok(_) => entry.status = 200,
                Err(error) => {
                    tracing::warn!(%error, queue, "a letter is lost");
                    entry.status = 400;
                    entry.error = Some("QueueDoesNotExist".to_owned());
                }
            }
        }
        Ok(verdict) => {
            verdict.decision.clone_into(&mut entry.decision);
            entry.status = 403;
            entry.error = Some("AccessDenied".to_owned());
        }
        Err(error) => {
            tracing::error!(%error, queue, "a letter can't be judged");
            "denied:unknown".clone_into(&mut entry.decision);
            entry.status = 403;
        }
    }
    gateway.log.add(entry);
}

async fn judged(
    gateway: &Gateway,
    sender: Sender<'_>,
    entry: &mut Entry,
) -> Result<Verdict, Error> {
    let call = demand("sqs", "SendMessage", &entry.region, "sqs:SendMessage", &entry.resource);
    match sender {
        Sender::Function(pool) => {
            let session = session(&gateway.moto, &pool.function).await?;
            let principal = holder(&session, &pool.function);
            entry.step = Some(pool.step.clone());
            entry.principal.clone_from(&principal.arn);
            judge(gateway, &principal, &call).await
        }
        Sender::Rule(rule) => {
            let service = "events.amazonaws.com";
            service.clone_into(&mut entry.principal);
            let source = rule_arn(rule);
            let acting = Acting { service, source: &source, account: &rule.account };
            judge_service(gateway, acting, None, &call).await
        }
    }
}
