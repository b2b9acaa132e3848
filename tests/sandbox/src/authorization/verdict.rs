//! Whether a caller may have what a call asks for, and how AWS says no.

use std::collections::BTreeMap;

use jiff::Timestamp;
use policy::{Caller, Context, Decision, Document, Layer, Layers, Request, decide};
use serde_json::{Value, json};

use super::call::{Call, Demand};
use super::facts::{PrincipalFacts, RoleFacts};

/// A caller with everything that is attached to it, compiled.
#[derive(Debug)]
pub struct Principal {
    caller: Caller,
    identity: Vec<Document>,
    boundary: Option<Vec<Document>>,
    session: Option<Vec<Document>>,
    scps: Vec<Vec<Document>>,
    organization: Option<String>,
    context: Context,
}

/// What the target of a call adds to the decision.
#[derive(Debug, Default)]
pub struct Target {
    policy: Option<Document>,
    trust: bool,
    account: Option<String>,
    organization: Option<String>,
    organization_paths: Vec<String>,
    tags: BTreeMap<String, String>,
    boundary_arn: Option<String>,
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the call may go on.
    pub allowed: bool,
    /// `allowed`, or `denied:` and the layer that decided: `identity`, `boundary`, `session`, `scp`,
    /// `rcp`, `resource` or `trust`.
    pub decision: &'static str,
    /// The action that was decided: the one denied, or the call's own.
    pub action: String,
    /// The resource that was decided.
    pub resource: String,
    /// AWS's words for a denial, empty if allowed.
    pub message: String,
}

impl Principal {
    /// Compiles what is known about a user, session or root. Session policies passed here win over
    /// the one in the facts.
    pub fn new(
        facts: &PrincipalFacts,
        holder: &RoleFacts,
        session: Option<&[Value]>,
    ) -> Result<Self, policy::Error> {
        let session = match (session, &facts.session_policy) {
            (Some(policies), _) => Some(documents(policies)?),
            (None, Some(policy)) => Some(vec![Document::parse(policy)?]),
            (None, None) => None,
        };
        let caller = caller(facts);
        let identity = match caller {
            // Nothing is attached to a root user: it may do everything that SCPs leave it.
            Caller::Root { .. } => vec![Document::parse(&everything())?],
            _ => documents(&holder.identity)?,
        };
        // Control policies do not bind service-linked roles.
        let service_linked =
            facts.role_arn.as_ref().is_some_and(|role| role.contains(":role/aws-service-role/"));
        let levels: &[_] = if service_linked { &[] } else { &holder.scps };
        Ok(Self {
            identity,
            boundary: holder.boundary.as_deref().map(documents).transpose()?,
            session,
            scps: levels.iter().map(|level| documents(level)).collect::<Result<_, _>>()?,
            organization: holder.org_id.clone(),
            context: principal_context(facts, &caller, holder),
            caller,
        })
    }

    /// An AWS service that acts for `source`, such as a rule, in an account of an organization.
    pub fn service(name: &str, source: &str, account: &str, organization: Option<&str>) -> Self {
        let mut context = Context::default()
            .with("aws:PrincipalIsAWSService", "true")
            .with("aws:PrincipalServiceName", name)
            .with("aws:SourceArn", source)
            .with("aws:SourceAccount", account);
        if let Some(organization) = organization {
            context.set("aws:SourceOrgID", organization);
        }
        Self {
            caller: Caller::Service(name.to_owned()),
            identity: Vec::new(),
            boundary: None,
            session: None,
            scps: Vec::new(),
            organization: None,
            context,
        }
    }

    fn name(&self) -> String {
        match &self.caller {
            Caller::User { arn, .. } | Caller::Session { arn, .. } => arn.clone(),
            Caller::Root { account } => format!("arn:aws:iam::{account}:root"),
            Caller::Service(name) | Caller::Federated(name) => name.clone(),
        }
    }
}

impl Target {
    /// A role that is to be assumed: its trust policy must let the caller in. A role that does not
    /// exist trusts nobody.
    pub fn trust(facts: &RoleFacts) -> Result<Self, policy::Error> {
        let nobody = json!({"Version": "2012-10-17", "Statement": []});
        let trust = facts.trust.as_ref().filter(|_| facts.exists).unwrap_or(&nobody);
        let policy = Some(Document::parse(trust)?);
        Ok(Self { policy, trust: true, ..Self::role(facts) })
    }

    /// A role or user that is managed: its tags and boundary are condition keys.
    pub fn role(facts: &RoleFacts) -> Self {
        Self {
            policy: None,
            trust: false,
            account: Some(facts.account.clone()),
            organization: facts.org_id.clone(),
            organization_paths: facts.org_paths.clone(),
            tags: facts.tags.clone(),
            boundary_arn: facts.boundary_arn.clone(),
        }
    }

    /// A member account with its tags.
    pub fn member(tags: BTreeMap<String, String>) -> Self {
        Self { tags, ..Self::default() }
    }

    /// A function or bus of an account with its resource policy, if it has one.
    pub fn resource(account: &str, policy: Option<&Value>) -> Result<Self, policy::Error> {
        let policy = policy.map(Document::parse).transpose()?;
        Ok(Self { policy, account: Some(account.to_owned()), ..Self::default() })
    }
}

/// Decides a call; every one of its demands must be allowed.
pub fn authorize(call: &Call, principal: &Principal, target: &Target, now: Timestamp) -> Verdict {
    let denied = call
        .demands
        .iter()
        .filter(|_| !call.free)
        .find_map(|demand| denial(demand, call, principal, target, now));
    denied.unwrap_or_else(|| Verdict {
        allowed: true,
        decision: "allowed",
        action: call.action().to_owned(),
        resource: call.resource().to_owned(),
        message: String::new(),
    })
}

fn denial(
    demand: &Demand,
    call: &Call,
    principal: &Principal,
    target: &Target,
    now: Timestamp,
) -> Option<Verdict> {
    let (own_account, resource_account) = accounts(demand, principal, target);
    let context = context(demand, call, principal, target, now);
    let layers = Layers {
        identity: &principal.identity,
        boundary: principal.boundary.as_deref(),
        session: principal.session.as_deref(),
        scps: &principal.scps,
        rcps: &[],
        resource: target.policy.as_ref(),
        resource_account: if is_delegated(demand) { own_account } else { resource_account },
    };
    let request = Request {
        caller: &principal.caller,
        action: &demand.action,
        resource: &demand.resource,
        context: &context,
    };
    let (layer, explicit) = match decide(&layers, &request) {
        Decision::Allowed => return None,
        Decision::ExplicitlyDenied(layer) => (layer, true),
        Decision::ImplicitlyDenied(layer) => (layer, false),
    };
    let (decision, policies) = match layer {
        Layer::Identity => ("denied:identity", "identity-based policy"),
        Layer::Boundary => ("denied:boundary", "permissions boundary"),
        Layer::Session => ("denied:session", "session policy"),
        Layer::Scp => ("denied:scp", "service control policy"),
        Layer::Rcp => ("denied:rcp", "resource control policy"),
        Layer::Resource if target.trust => ("denied:trust", "role trust policy"),
        Layer::Resource => ("denied:resource", "resource-based policy"),
    };
    // STS does not tell other accounts what a role's trust policy says.
    let secret = target.trust && resource_account != own_account;
    let reason = match (explicit, policies) {
        _ if secret => String::new(),
        (true, "identity-based policy") => {
            " with an explicit deny in an identity-based policy".into()
        }
        (true, policies) => format!(" with an explicit deny in a {policies}"),
        (false, policies) => {
            format!(" because no {policies} allows the {} action", demand.action)
        }
    };
    let Demand { action, resource, .. } = demand;
    let message = format!(
        "User: {} is not authorized to perform: {action} on resource: {resource}{reason}",
        principal.name()
    );
    Some(Verdict {
        allowed: false,
        decision,
        action: action.clone(),
        resource: resource.clone(),
        message,
    })
}

/// All condition keys of a demand.
pub fn context(
    demand: &Demand,
    call: &Call,
    principal: &Principal,
    target: &Target,
    now: Timestamp,
) -> Context {
    let (_, resource_account) = accounts(demand, principal, target);
    let mut context = surroundings(call, now);
    context.extend(&principal.context);
    context.extend(&target_context(principal, target, resource_account));
    context.extend(&demand.context);
    context
}

/// A StackSet has no policy of its own: CloudFormation lets in whom the organization has made its delegated
/// administrator, and what that one's own policies allow.
fn is_delegated(demand: &Demand) -> bool {
    demand.resource.contains(":stackset/")
}

/// The caller's account and the resource's.
fn accounts<'a>(
    demand: &'a Demand,
    principal: &'a Principal,
    target: &'a Target,
) -> (&'a str, &'a str) {
    let own = principal.caller.account().or(target.account.as_deref()).unwrap_or_default();
    (own, account_of(&demand.resource).unwrap_or(own))
}

fn documents(policies: &[Value]) -> Result<Vec<Document>, policy::Error> {
    policies.iter().map(Document::parse).collect()
}

fn everything() -> Value {
    json!({"Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
}

fn caller(facts: &PrincipalFacts) -> Caller {
    let (arn, account) = (facts.arn.clone(), facts.account.clone());
    match (facts.kind.as_str(), &facts.role_arn) {
        ("root", _) => Caller::Root { account },
        (_, Some(role_arn)) => Caller::Session { arn, role_arn: role_arn.clone(), account },
        (_, None) => Caller::User { arn, account },
    }
}

fn principal_context(facts: &PrincipalFacts, caller: &Caller, holder: &RoleFacts) -> Context {
    let last = facts.arn.rsplit(['/', ':']).next().unwrap_or_default();
    let name = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    let id = |arn: &str| holder.id.clone().unwrap_or_else(|| name(arn));
    let mut context = Context::default()
        .with("aws:PrincipalAccount", &facts.account)
        .with("aws:PrincipalIsAWSService", "false");
    match caller {
        Caller::Session { role_arn, .. } => {
            context.set("aws:PrincipalArn", role_arn);
            context.set("aws:PrincipalType", "AssumedRole");
            context.set("aws:userid", format!("{}:{last}", id(role_arn)));
            context.set("aws:MultiFactorAuthPresent", "false");
        }
        Caller::User { arn, .. } => {
            context.set("aws:PrincipalArn", arn);
            context.set("aws:PrincipalType", "User");
            context.set("aws:userid", id(arn));
            context.set("aws:username", name(arn));
        }
        Caller::Root { account } => {
            context.set("aws:PrincipalArn", &facts.arn);
            context.set("aws:PrincipalType", "Account");
            context.set("aws:userid", account);
        }
        Caller::Service(_) | Caller::Federated(_) => {}
    }
    if let Some(organization) = &holder.org_id {
        context.set("aws:PrincipalOrgID", organization);
        context.set_all("aws:PrincipalOrgPaths", &holder.org_paths);
    }
    for (key, value) in &holder.tags {
        context.set(&format!("aws:PrincipalTag/{key}"), value);
    }
    context
}

/// The keys of every request. The sandbox's loopback stands for TLS.
fn surroundings(call: &Call, now: Timestamp) -> Context {
    Context::default()
        .with("aws:RequestedRegion", &call.region)
        .with("aws:SecureTransport", "true")
        .with("aws:ViaAWSService", "false")
        .with("aws:SourceIp", "127.0.0.1")
        .with("aws:CurrentTime", now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .with("aws:EpochTime", now.as_second().to_string())
}

fn target_context(principal: &Principal, target: &Target, resource_account: &str) -> Context {
    let mut context = Context::default().with("aws:ResourceAccount", resource_account);
    let own = principal.caller.account() == Some(resource_account);
    let organization =
        target.organization.as_ref().or(principal.organization.as_ref().filter(|_| own));
    if let Some(organization) = organization {
        context.set("aws:ResourceOrgID", organization);
    }
    context.set_all("aws:ResourceOrgPaths", &target.organization_paths);
    for (key, value) in &target.tags {
        context.set(&format!("aws:ResourceTag/{key}"), value);
        context.set(&format!("iam:ResourceTag/{key}"), value);
    }
    if let Some(arn) = &target.boundary_arn {
        context.set("iam:PermissionsBoundary", arn);
    }
    context
}

/// The account in an ARN, if it names one.
fn account_of(arn: &str) -> Option<&str> {
    let account = arn.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}
