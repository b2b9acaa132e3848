//! Whom Landfall's roles let in: its functions with the external id, and nobody else.

use policy::Context;
use refusal::Refusal;

use super::external_ids::{ExternalId, Which};
use super::identity::{Deed, Role, account_of};
use super::{Check, Patient, Unanswered};

/// The roles of the management account, and the external id that each asks for.
pub const MANAGEMENT: [(&str, Which); 4] = [
    ("LandfallRead", Which::Ours),
    ("LandfallVend", Which::Ours),
    ("LandfallClose", Which::Ours),
    ("LandfallMetering", Which::Metering),
];
/// The role of the automation account through which stack sets are rolled out.
pub const STACKS: &str = "LandfallStacks";
/// The role of the automation account through which CloudFormation works.
const ADMINISTRATION: &str = "AWSCloudFormationStackSetAdministrationRole";

/// A check for each role and each secret.
pub async fn all(patient: &Patient) -> Result<Vec<Check>, Unanswered> {
    let caller = aws_sdk_sts::Client::new(&patient.automation).get_caller_identity().send().await;
    let caller = caller.map_err(|error| Refusal::of("sts:GetCallerIdentity", &error))?;
    let account = caller.account().unwrap_or_default().to_owned();
    let partition = caller.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
    let visitor = Visitor {
        function: format!("arn:{partition}:iam::{account}:role/{}-doctor", patient.stack),
        stranger: format!("arn:{partition}:iam::{account}:role/stranger"),
    };
    let ours = ExternalId::read(patient, Which::Ours).await?;
    let metering = ExternalId::read(patient, Which::Metering).await?;
    let mut checks = Vec::new();
    for (which, external_id) in [(Which::Ours, &ours), (Which::Metering, &metering)] {
        let secret = which.secret(&patient.stack);
        checks.push(if external_id.rotates() {
            let remedy = "Go on with landfall doctor --rotate.";
            Check::failing(
                "external id",
                format!("{secret} is half-way through a rotation"),
                remedy,
            )
        } else {
            Check::ok("external id", format!("{secret} says one value"))
        });
    }
    for (name, which) in MANAGEMENT {
        let external_id = if which == Which::Ours { &ours } else { &metering };
        let role = Role::read(&patient.management, name).await?;
        checks.push(visitor.check(patient, name, role.as_ref(), which, external_id)?);
    }
    let role = Role::read(&patient.automation, STACKS).await?;
    checks.push(visitor.check(patient, STACKS, role.as_ref(), Which::Ours, &ours)?);
    let there = Role::read(&patient.automation, ADMINISTRATION).await?.is_some();
    let found = format!(
        "{ADMINISTRATION} is {}",
        if there { "there" } else { "missing in the automation account" }
    );
    checks.push(Check::when("role", there, found, "Deploy Landfall's stack again."));
    Ok(checks)
}

/// Who knocks.
struct Visitor {
    function: String,
    stranger: String,
}

impl Visitor {
    fn check(
        &self,
        patient: &Patient,
        name: &str,
        role: Option<&Role>,
        which: Which,
        external_id: &ExternalId,
    ) -> Result<Check, Unanswered> {
        let place = if name == STACKS { "automation" } else { "management" };
        let remedy = if name == STACKS {
            "Run landfall doctor --rotate, or deploy Landfall's stack again."
        } else {
            "Deploy infra/accounts/management.yaml with this AutomationAccountId and what the secrets say (docs/DEPLOY.md, 2)."
        };
        let failing = |found: String| Ok(Check::failing("role", found, remedy));
        let Some(role) = role else {
            return failing(format!("{name} is missing in the {place} account"));
        };
        let secret = which.secret(&patient.stack);
        let asked = |who: &str, value: Option<&str>| {
            let context = value.map_or_else(Context::default, |value| {
                Context::default().with("sts:ExternalId", value)
            });
            role.lets_in(&Deed {
                role: who,
                action: "sts:AssumeRole",
                resource: &role.arn,
                organization: "",
                context: &context,
            })
        };
        if !asked(&self.function, Some(&external_id.current))? {
            let account = account_of(&self.function);
            return failing(if role.trust.to_string().contains(account) {
                format!("{name} does not take what the secret {secret} says")
            } else {
                format!("{name} does not trust the automation account {account}")
            });
        }
        if asked(&self.function, None)? {
            return failing(format!("{name} lets in whoever does not say the external id"));
        }
        if asked(&self.stranger, Some(&external_id.current))? {
            return failing(format!("{name} lets in other roles than Landfall's functions have"));
        }
        let known =
            [Some(&external_id.current), external_id.previous.as_ref(), external_id.next.as_ref()];
        if role.external_ids().iter().any(|value| !known.contains(&Some(value))) {
            return failing(format!("{name} also takes an external id that {secret} does not say"));
        }
        Ok(Check::ok(
            "role",
            format!("{name} lets in Landfall's functions with what {secret} says, and nobody else"),
        ))
    }
}
