//! Rotates the external ids in an order in which no run fails.
//!
//! 1. A new value stands beside the old one in the secret; functions still ask with the old one.
//! 2. Every role takes both.
//! 3. The secret says the new one, and the old one as previous: a function that starts asks with the new one.
//! 4. Every role takes the new one only: a function that still asks with the old one is refused, reads the secret
//!    again and asks with the new one.
//! 5. The secret forgets the old one.
//!
//! Where a rotation stands is what the secret says, so whoever repeats it goes on where it stopped, and each phase
//! that is done already changes nothing.

use std::time::Duration;

use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::{Capability, Parameter};
use refusal::Refusal;
use serde_json::{Value, json};
use uuid::Uuid;

use super::external_ids::{ExternalId, Which};
use super::identity::Role;
use super::roles::{MANAGEMENT, STACKS};
use super::{Check, Patient, Unanswered, listed};

const CHECK: &str = "rotation";
/// How long a stack's update is waited for.
const PATIENCE: Duration = Duration::from_mins(15);
const PAUSE: Duration = Duration::from_secs(2);
/// How long IAM is given to show everywhere what the roles take. A function that is refused all the same is patient.
const SPREADING: Duration = Duration::from_secs(5);

/// Rotates both external ids; tells each phase as it is done.
pub async fn rotate(patient: &Patient, mut tell: impl FnMut(Check)) -> Result<(), Unanswered> {
    for which in Which::ALL {
        let external_id = ExternalId::read(patient, which).await?;
        if !external_id.rotates() {
            let next = Some(Uuid::new_v4().to_string());
            ExternalId { next, ..external_id }.write(patient, which).await?;
        }
    }
    tell(Check::ok(CHECK, "each secret has a new value beside the old one"));
    let both = values(patient, |one| match (&one.next, &one.previous) {
        (Some(next), _) => vec![next.clone(), one.current.clone()],
        (None, Some(previous)) => vec![one.current.clone(), previous.clone()],
        (None, None) => vec![one.current.clone()],
    });
    accept(patient, &both.await?).await?;
    tell(Check::ok(CHECK, "every role takes both values"));
    for which in Which::ALL {
        let external_id = ExternalId::read(patient, which).await?;
        if let Some(next) = external_id.next {
            let previous = Some(external_id.current);
            ExternalId { current: next, previous, next: None }.write(patient, which).await?;
        }
    }
    tell(Check::ok(CHECK, "the functions use the new value"));
    accept(patient, &values(patient, |one| vec![one.current.clone()]).await?).await?;
    tell(Check::ok(CHECK, "every role takes the new value only"));
    for which in Which::ALL {
        let external_id = ExternalId::read(patient, which).await?;
        if external_id.rotates() {
            let current = external_id.current;
            ExternalId { current, previous: None, next: None }.write(patient, which).await?;
        }
    }
    tell(Check::ok(CHECK, "the old value is forgotten"));
    Ok(())
}

/// The values that roles are to take, ours and metering's, the newer one first.
struct Values {
    ours: Vec<String>,
    metering: Vec<String>,
}

async fn values(
    patient: &Patient,
    of: impl Fn(&ExternalId) -> Vec<String>,
) -> Result<Values, Unanswered> {
    Ok(Values {
        ours: of(&ExternalId::read(patient, Which::Ours).await?),
        metering: of(&ExternalId::read(patient, Which::Metering).await?),
    })
}

/// Lets every role take these values, and looks whether they do.
async fn accept(patient: &Patient, values: &Values) -> Result<(), Unanswered> {
    update_management(patient, values).await?;
    update_stacks(patient, values).await?;
    let mut roles = vec![(STACKS, &values.ours, Role::read(&patient.automation, STACKS).await?)];
    for (name, which) in MANAGEMENT {
        let wanted = if which == Which::Ours { &values.ours } else { &values.metering };
        roles.push((name, wanted, Role::read(&patient.management, name).await?));
    }
    let others: Vec<&str> = roles
        .iter()
        .filter(|(_, wanted, role)| {
            role.as_ref().is_none_or(|role| role.external_ids() != sorted(wanted))
        })
        .map(|(name, ..)| *name)
        .collect();
    if others.is_empty() {
        tokio::time::sleep(SPREADING).await;
        return Ok(());
    }
    Err(Unanswered(format!("{} did not take the values that they were given", listed(&others))))
}

fn sorted(values: &[String]) -> Vec<String> {
    let mut values = values.to_vec();
    values.sort();
    values.dedup();
    values
}

/// The management account's roles belong to their stack, so their stack changes them.
async fn update_management(patient: &Patient, values: &Values) -> Result<(), Unanswered> {
    let stack = format!("{}-management", patient.stack);
    let client = aws_sdk_cloudformation::Client::new(&patient.management);
    let answer = client.describe_stacks().stack_name(&stack).send().await;
    let answer = answer.map_err(|error| Refusal::of("cloudformation:DescribeStacks", &error))?;
    let known = answer.stacks().first().map(|stack| stack.parameters().to_vec());
    let known = known.unwrap_or_default();
    let given = [
        ("ExternalId", values.ours.first()),
        ("PreviousExternalId", values.ours.get(1)),
        ("MeteringExternalId", values.metering.first()),
        ("PreviousMeteringExternalId", values.metering.get(1)),
    ];
    let lacks = given
        .iter()
        .find(|(name, _)| !known.iter().any(|parameter| parameter.parameter_key() == Some(name)));
    if let Some((name, _)) = lacks {
        return Err(Unanswered(format!(
            "the stack {stack} has no parameter {name}: deploy this release's infra/accounts/management.yaml first"
        )));
    }
    let parameters = known.iter().filter_map(|parameter| parameter.parameter_key()).map(|key| {
        let parameter = Parameter::builder().parameter_key(key);
        match given.iter().find(|(name, _)| *name == key) {
            Some((_, value)) => parameter.parameter_value(value.map_or("", String::as_str)).build(),
            None => parameter.use_previous_value(true).build(),
        }
    });
    let updated = client
        .update_stack()
        .stack_name(&stack)
        .use_previous_template(true)
        .set_parameters(Some(parameters.collect()))
        .capabilities(Capability::CapabilityNamedIam)
        .send()
        .await;
    match updated {
        Ok(_) => {}
        Err(error) if error.message().is_some_and(|said| said.contains("No updates")) => {
            return Ok(());
        }
        Err(error) => return Err(Refusal::of("cloudformation:UpdateStack", &error).into()),
    }
    let began = std::time::Instant::now();
    while began.elapsed() < PATIENCE {
        let answer = client.describe_stacks().stack_name(&stack).send().await;
        let answer =
            answer.map_err(|error| Refusal::of("cloudformation:DescribeStacks", &error))?;
        let status = answer.stacks().first().and_then(|stack| stack.stack_status());
        let status = status.map_or("", |status| status.as_str());
        match status {
            "UPDATE_COMPLETE" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => return Ok(()),
            status if status.ends_with("_IN_PROGRESS") => tokio::time::sleep(PAUSE).await,
            status => return Err(Unanswered(format!("the stack {stack} is {status}"))),
        }
    }
    Err(Unanswered(format!("the stack {stack} is being updated for a quarter of an hour")))
}

/// Its template reads the secret, and only when something else of the role changes: so the trust is written here,
/// as the next change of the template would write it.
async fn update_stacks(patient: &Patient, values: &Values) -> Result<(), Unanswered> {
    let Some(role) = Role::read(&patient.automation, STACKS).await? else {
        return Err(Unanswered(format!("{STACKS} is missing in the automation account")));
    };
    if role.external_ids() == sorted(&values.ours) {
        return Ok(());
    }
    let mut trust = role.trust;
    let statements = trust["Statement"].as_array_mut().into_iter().flatten();
    for statement in statements {
        let asked = &mut statement["Condition"]["StringEquals"]["sts:ExternalId"];
        *asked = match values.ours.as_slice() {
            [one] => Value::from(one.as_str()),
            several => json!(several),
        };
    }
    aws_sdk_iam::Client::new(&patient.automation)
        .update_assume_role_policy()
        .role_name(STACKS)
        .policy_document(trust.to_string())
        .send()
        .await
        .map_err(|error| Refusal::of("iam:UpdateAssumeRolePolicy", &error))?;
    Ok(())
}
