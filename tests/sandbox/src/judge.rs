//! Asks IAM about a call, with the policies that are really deployed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::authorization::{
    self, Call, Demand, PrincipalFacts, Protocol, RoleFacts, Subject, Target, Verdict, authorize,
};
use crate::decisions::Asked;
use crate::error::Error;
use crate::facts::Facts;
use crate::gateway::Gateway;
use crate::identity::Principal;
use crate::wire::encoded;

/// The seeded organization.
pub const ORGANIZATION: &str = "o-landfall01";

/// The seeded organization's management account.
pub const MANAGEMENT: &str = "111111111111";

/// How many callers' policies are kept compiled.
const KEPT: usize = 2_000;

/// The policies of callers, compiled once for as long as they don't change.
#[derive(Debug, Default)]
pub struct Judge {
    facts: Facts,
    compiled: Mutex<HashMap<String, Compiled>>,
}

type Compiled = (Arc<RoleFacts>, Arc<authorization::Principal>);

impl Judge {
    /// Forgets nothing, but looks again: a policy may have changed.
    pub fn expire(&self, now: f64) {
        self.facts.expire(now);
    }
}

/// Decides a call of a principal.
pub async fn judge(
    gateway: &Gateway,
    principal: &Principal,
    call: &Call,
) -> Result<Verdict, Error> {
    let (facts, caller) = compiled(gateway, principal).await?;
    let call = &with_path(gateway, call).await?;
    let (target, policy) = target(gateway, call, &principal.account).await?;
    let now = gateway.clock.timestamp();
    let verdict = authorize(call, &caller, &target, now);
    let asked = Asked {
        principal,
        facts: &facts,
        compiled: &caller,
        target: &target,
        resource_policy: policy.as_ref(),
    };
    gateway.decisions.note(call, &asked, &verdict, now);
    Ok(verdict)
}

/// A service of AWS that acts for something in an account.
#[derive(Clone, Copy, Debug)]
pub struct Acting<'a> {
    /// The service's principal, such as `events.amazonaws.com`.
    pub service: &'a str,
    /// ARN of what it acts for, such as a rule.
    pub source: &'a str,
    /// The account of the source.
    pub account: &'a str,
}

/// Decides whether a service may make a call, itself or by a role that it takes.
pub async fn judge_service(
    gateway: &Gateway,
    Acting { service, source, account }: Acting<'_>,
    taken: Option<&str>,
    call: &Call,
) -> Result<Verdict, Error> {
    let organization = Some(ORGANIZATION);
    let service = authorization::Principal::service(service, source, account, organization);
    let now = gateway.clock.timestamp();
    let (target, _) = target(gateway, call, account).await?;
    let Some(role) = taken else {
        return Ok(authorize(call, &service, &target, now));
    };
    let facts = in_full(role_facts(gateway, role).await?, role);
    let trust = Target::trust(&facts).map_err(broken)?;
    let session = demand("sts", "AssumeRole", &call.region, "sts:AssumeRole", role);
    let verdict = authorize(&session, &service, &trust, now);
    if !verdict.allowed {
        return Ok(verdict);
    }
    let name = role.rsplit('/').next().unwrap_or_default();
    let session = PrincipalFacts {
        account: account.to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/{name}/events"),
        kind: "role-session".to_owned(),
        role_arn: Some(role.to_owned()),
        session_policy: None,
    };
    let caller = authorization::Principal::new(&session, &facts, None).map_err(broken)?;
    Ok(authorize(call, &caller, &target, now))
}

/// The call with the role's real ARN: IAM's own calls say its name and not its path.
async fn with_path<'call>(gateway: &Gateway, call: &'call Call) -> Result<Cow<'call, Call>, Error> {
    let Some(Subject::Role(named)) = call.subject() else { return Ok(Cow::Borrowed(call)) };
    let facts = role_facts(gateway, &named).await?;
    let Some(arn) = facts.arn.as_ref().filter(|arn| **arn != named) else {
        return Ok(Cow::Borrowed(call));
    };
    let mut call = call.clone();
    for demand in &mut call.demands {
        if demand.resource == named {
            demand.resource.clone_from(arn);
        }
    }
    Ok(Cow::Owned(call))
}

/// A call with one demand that no request makes.
pub fn demand(service: &str, operation: &str, region: &str, action: &str, resource: &str) -> Call {
    Call {
        service: service.to_owned(),
        operation: operation.to_owned(),
        region: region.to_owned(),
        protocol: Protocol::Json11,
        write: true,
        free: false,
        demands: vec![Demand {
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: policy::Context::default(),
        }],
        members: json!({}),
    }
}

/// Reads what a write is about to change, so that the change is seen as one.
pub async fn before_write(gateway: &Gateway, call: &Call) {
    if let Some(Subject::Role(arn)) = call.subject()
        && let Err(error) = role_facts(gateway, &arn).await
    {
        tracing::debug!(%error, arn, "a role can't be read");
    }
}

async fn compiled(gateway: &Gateway, principal: &Principal) -> Result<Compiled, Error> {
    let holder = principal.role.as_deref().unwrap_or(&principal.arn);
    let facts = role_facts(gateway, holder).await?;
    if let Some((known, compiled)) = gateway.judge.compiled.lock().get(&principal.key)
        && Arc::ptr_eq(known, &facts)
    {
        return Ok((facts, Arc::clone(compiled)));
    }
    let kind = if principal.role.is_some() { "role-session" } else { "user" };
    let told = PrincipalFacts {
        account: principal.account.clone(),
        arn: principal.arn.clone(),
        kind: kind.to_owned(),
        role_arn: principal.role.clone(),
        session_policy: principal.session_policy.clone(),
    };
    let caller = authorization::Principal::new(&told, &facts, None).map_err(broken)?;
    let caller = Arc::new(caller);
    let mut all = gateway.judge.compiled.lock();
    if all.len() >= KEPT {
        all.clear();
    }
    all.insert(principal.key.clone(), (Arc::clone(&facts), Arc::clone(&caller)));
    drop(all);
    Ok((facts, caller))
}

/// What the target of a call adds to the decision, and its own policy.
async fn target(
    gateway: &Gateway,
    call: &Call,
    account: &str,
) -> Result<(Target, Option<Value>), Error> {
    let deployment = gateway.deployment();
    let owner = |arn: &str| arn.split(':').nth(4).unwrap_or(account).to_owned();
    let with_policy = |arn: &str, policy: Option<Value>| {
        let target = Target::resource(&owner(arn), policy.as_ref()).map_err(broken)?;
        Ok((target, policy))
    };
    match call.subject() {
        Some(Subject::Trust(arn)) => {
            let facts = in_full(role_facts(gateway, &arn).await?, &arn);
            Ok((Target::trust(&facts).map_err(broken)?, facts.trust.clone()))
        }
        Some(Subject::Role(arn)) => Ok((Target::role(&*role_facts(gateway, &arn).await?), None)),
        Some(Subject::Function(arn)) => {
            let pool = gateway.lambda.find(&arn, None, account, &call.region);
            with_policy(&arn, pool.and_then(|pool| pool.function.policy.clone()))
        }
        Some(Subject::EventBus(arn)) => {
            let bus = deployment.buses.iter().find(|bus| bus.arn == arn);
            with_policy(&arn, bus.and_then(|bus| bus.policy.clone()))
        }
        Some(Subject::Queue(arn)) => {
            let queue = deployment.queues.iter().find(|queue| queue.arn == arn);
            with_policy(&arn, queue.and_then(|queue| queue.policy.clone()))
        }
        Some(Subject::Member(arn)) => {
            let account = arn.rsplit('/').next().unwrap_or_default();
            let path = format!("/landfall/tags?account={}", encoded(account));
            // One that is not there is refused by Organizations itself.
            let tags = gateway.moto.read(&path).await.unwrap_or_default();
            Ok((Target::member(tags), None))
        }
        None => Ok((Target::default(), None)),
    }
}

/// The facts of a role that is named in full; a role of the same name with another path is another one.
fn in_full(facts: Arc<RoleFacts>, arn: &str) -> Arc<RoleFacts> {
    if facts.arn.as_deref().is_none_or(|found| found == arn) {
        return facts;
    }
    let nobody = RoleFacts { exists: false, trust: None, ..(*facts).clone() };
    Arc::new(nobody)
}

async fn role_facts(gateway: &Gateway, arn: &str) -> Result<Arc<RoleFacts>, Error> {
    let delay = || gateway.staleness.delay("iam");
    gateway.judge.facts.of(&gateway.moto, arn, gateway.clock.now(), delay).await
}

fn broken(error: policy::Error) -> Error {
    Error::Moto(format!("a policy can't be read: {error}"))
}
