//! Who holds which access key, and on whose behalf they work.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use serde_json::Value;

use crate::authorization::PrincipalFacts;
use crate::lambda::instance::Instance;
use crate::moto::{Moto, element};
use crate::wire::{encoded, parameter};

/// Start of the access keys with which moto's interpreter calls on behalf of a state machine.
const MACHINE: &str = "SFN.";

/// Account of callers that nobody knows: moto's default account.
pub const AUTOMATION: &str = "123456789012";

/// The holder of an access key.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Access key id.
    pub key: String,
    /// Secret access key, if the sandbox made it.
    pub secret: Option<String>,
    /// ARN of the user or session.
    pub arn: String,
    /// Account of the user or role.
    pub account: String,
    /// ARN of the role, for sessions.
    pub role: Option<String>,
    /// Whether IAM decides on the calls; nobody asks for operators.
    pub judged: bool,
    /// The session's own policies as one document.
    pub session_policy: Option<Value>,
    /// What works with the key.
    pub origin: Origin,
}

/// What works with an access key.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A person or a test.
    Operator,
    /// The interpreter, for a state machine.
    Machine(String),
    /// An instance of a function, directly or through sessions that it took.
    Instance(Arc<Instance>),
}

/// All access keys known so far.
#[derive(Debug, Default)]
pub struct Identity {
    known: RwLock<HashMap<String, Principal>>,
}

impl Identity {
    /// The holder of `key`; an unknown key is an operator's.
    pub async fn of(
        &self,
        key: &str,
        moto: &Moto,
        machine_role: impl Fn(&str) -> Option<String>,
    ) -> Principal {
        if let Some(principal) = self.known.read().get(key) {
            return principal.clone();
        }
        if let Some(name) = key.strip_prefix(MACHINE) {
            return machine(key, name, machine_role(name));
        }
        match told(moto, key).await {
            Some(told) if told.kind == "user" || told.kind == "role-session" => {
                let principal = Principal {
                    key: key.to_owned(),
                    secret: None,
                    arn: told.arn,
                    account: told.account,
                    role: told.role_arn,
                    judged: true,
                    session_policy: told.session_policy,
                    origin: Origin::Operator,
                };
                self.register(principal.clone());
                principal
            }
            Some(told) => self.operator(key, &told.account),
            None => self.operator(key, AUTOMATION),
        }
    }

    /// An operator, remembered unless the key is of a form that AWS itself could give out later.
    fn operator(&self, key: &str, account: &str) -> Principal {
        let principal = operator(key, account);
        if !key.starts_with("AKIA") && !key.starts_with("ASIA") {
            self.register(principal.clone());
        }
        principal
    }

    /// Remembers a principal by its key.
    pub fn register(&self, principal: Principal) {
        self.known.write().insert(principal.key.clone(), principal);
    }

    /// Forgets the keys of an instance that ended.
    pub fn forget(&self, instance: &Instance) {
        self.known.write().retain(|_, principal| match &principal.origin {
            Origin::Instance(of) => of.id != instance.id,
            Origin::Operator | Origin::Machine(_) => true,
        });
    }

    /// Remembers the session that `caller` got by an `AssumeRole` with this form and answer.
    pub async fn assumed(&self, moto: &Moto, caller: &Principal, form: &str, answer: &str) {
        let Some(mut principal) = session(answer) else { return };
        principal.role = parameter(form, "RoleArn");
        principal.origin = caller.origin.clone();
        principal.session_policy = match parameter(form, "PolicyArns.member.1.arn") {
            // Only moto knows the documents of managed policies.
            Some(_) => told(moto, &principal.key).await.and_then(|told| told.session_policy),
            None => parameter(form, "Policy").and_then(|policy| serde_json::from_str(&policy).ok()),
        };
        self.register(principal);
    }
}

async fn told(moto: &Moto, key: &str) -> Option<PrincipalFacts> {
    moto.read(&format!("/landfall/principal?key={}", encoded(key))).await.ok()
}

/// The session in an `AssumeRole` answer, not yet attributed.
pub fn session(answer: &str) -> Option<Principal> {
    let credentials = answer.split("<Credentials>").nth(1)?;
    let arn = element(answer.split("<AssumedRoleUser>").nth(1)?, "Arn")?;
    Some(Principal {
        key: element(credentials, "AccessKeyId")?.to_owned(),
        secret: element(credentials, "SecretAccessKey").map(str::to_owned),
        arn: arn.to_owned(),
        account: arn.split(':').nth(4)?.to_owned(),
        role: None,
        judged: true,
        session_policy: None,
        origin: Origin::Operator,
    })
}

fn operator(key: &str, account: &str) -> Principal {
    Principal {
        key: key.to_owned(),
        secret: None,
        arn: format!("arn:aws:iam::{account}:user/operator"),
        account: account.to_owned(),
        role: None,
        judged: false,
        session_policy: None,
        origin: Origin::Operator,
    }
}

fn machine(key: &str, name: &str, role: Option<String>) -> Principal {
    let (account, role_name) = match &role {
        Some(arn) => (
            arn.split(':').nth(4).unwrap_or(AUTOMATION).to_owned(),
            arn.rsplit('/').next().unwrap_or_default().to_owned(),
        ),
        None => (AUTOMATION.to_owned(), name.to_owned()),
    };
    Principal {
        key: key.to_owned(),
        secret: None,
        arn: format!("arn:aws:sts::{account}:assumed-role/{role_name}/{name}"),
        account,
        judged: role.is_some(),
        role,
        session_policy: None,
        origin: Origin::Machine(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
        <AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey></Credentials>\
        <AssumedRoleUser><Arn>arn:aws:sts::111111111111:assumed-role/LandfallRead/x</Arn>\
        </AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>";

    #[tokio::test]
    async fn a_session_inherits_who_took_it_and_keeps_its_policy() {
        let identity = Identity::default();
        let caller = machine("SFN.m", "m", None);
        let form = "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2FR\
                    &Policy=%7B%22Statement%22%3A%5B%5D%7D";
        identity.assumed(&Moto::at("127.0.0.1:9"), &caller, form, ANSWER).await;
        let known = identity.known.read();
        let session = &known["ASIA1"];
        assert_eq!(session.account, "111111111111");
        assert_eq!(session.role.as_deref(), Some("arn:aws:iam::111111111111:role/R"));
        assert!(session.session_policy.is_some());
        assert!(matches!(&session.origin, Origin::Machine(name) if name == "m"));
    }
}
