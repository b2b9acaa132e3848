//! The way of events: rules that forward, the bus that takes them, and one event sent all the way.

use std::time::Duration;

use aws_config::Region;
use aws_sdk_eventbridge::types::RuleState;
use aws_sdk_organizations::types::CreateAccountState;
use jiff::{SignedDuration, Timestamp};
use ledger::Ledger;
use refusal::Refusal;

use super::accounts::organizations_region;
use super::{Check, Patient, Unanswered};

/// The rule of infra/accounts/management-events.yaml.
const RULE: &str = "landfall-organizations-events";
/// How long an event may take all the way; AWS usually needs less than two minutes.
const PATIENCE: Duration = Duration::from_mins(5);
const PAUSE: Duration = Duration::from_secs(2);

/// Organizations' events are forwarded to the automation account.
pub async fn rules(patient: &Patient) -> Result<Check, Unanswered> {
    const CHECK: &str = "rules that forward";
    let region = organizations_region(&patient.region);
    let config = aws_sdk_eventbridge::config::Builder::from(&patient.management)
        .region(Region::new(region))
        .build();
    let client = aws_sdk_eventbridge::Client::from_conf(config);
    let remedy = format!(
        "Deploy infra/accounts/management-events.yaml in the management account's {region}."
    );
    let rules = client.list_rules().name_prefix(RULE).send().await;
    let rules = rules.map_err(|error| Refusal::of("events:ListRules", &error))?;
    let Some(rule) = rules.rules().iter().find(|rule| rule.name() == Some(RULE)) else {
        return Ok(Check::failing(CHECK, format!("{RULE} is missing in {region}"), remedy));
    };
    if rule.state() != Some(&RuleState::Enabled) {
        return Ok(Check::failing(CHECK, format!("{RULE} is not enabled"), remedy));
    }
    let targets = client.list_targets_by_rule().rule(RULE).send().await;
    let targets = targets.map_err(|error| Refusal::of("events:ListTargetsByRule", &error))?;
    let bus = format!(":events:{}:", patient.region);
    let target = targets.targets().iter().find(|target| target.arn().contains(&bus));
    Ok(match target {
        Some(target) => {
            Check::ok(CHECK, format!("{RULE} forwards from {region} to {}", target.arn()))
        }
        None => Check::failing(
            CHECK,
            format!("{RULE} forwards to no bus in {}", patient.region),
            remedy,
        ),
    })
}

/// The automation account's bus takes them.
pub async fn bus(patient: &Patient) -> Result<Check, Unanswered> {
    let caller = aws_sdk_sts::Client::new(&patient.management).get_caller_identity().send().await;
    let caller = caller.map_err(|error| Refusal::of("sts:GetCallerIdentity", &error))?;
    let management = caller.account().unwrap_or_default();
    let answer = aws_sdk_eventbridge::Client::new(&patient.automation)
        .describe_event_bus()
        .name("default")
        .send()
        .await;
    let answer = answer.map_err(|error| Refusal::of("events:DescribeEventBus", &error))?;
    let takes = answer.policy().is_some_and(|policy| policy.contains(management));
    let found = if takes { "takes" } else { "does not take" };
    Ok(Check::when(
        "event bus",
        takes,
        format!(
            "the automation account's bus {found} events of the management account {management}"
        ),
        "Deploy Landfall's stack with this ManagementAccountId.",
    ))
}

/// Asks for an account with an address that is taken, and waits for the event that says so.
pub async fn round_trip(patient: &Patient) -> Result<Check, Unanswered> {
    const CHECK: &str = "round trip";
    let client = aws_sdk_organizations::Client::new(&patient.management);
    let organization = client.describe_organization().send().await;
    let organization =
        organization.map_err(|error| Refusal::of("organizations:DescribeOrganization", &error))?;
    let taken =
        organization.organization().and_then(|one| one.master_account_email()).unwrap_or_default();
    let asked = client.create_account().email(taken).account_name("landfall-doctor").send().await;
    let asked = asked.map_err(|error| Refusal::of("organizations:CreateAccount", &error))?;
    let request = asked.create_account_status();
    let id = request.and_then(|status| status.id()).unwrap_or_default();
    if request.and_then(|status| status.state()) == Some(&CreateAccountState::Succeeded) {
        return Ok(Check::failing(
            CHECK,
            "AWS made an account with a taken address",
            "Tell Landfall's makers.",
        ));
    }
    let ledger = Ledger::new(&patient.automation, format!("{}-ledger", patient.stack));
    let began = std::time::Instant::now();
    // The ledger's clock may run at another pace; what it kept lately is enough.
    let since = Timestamp::now() - SignedDuration::from_hours(1);
    while began.elapsed() < PATIENCE {
        let kept = ledger
            .kept(since)
            .await
            .map_err(|error| Unanswered(format!("the ledger can't be read: {error}")))?;
        if kept.iter().any(|result| result.id == id) {
            let took = began.elapsed().as_secs();
            return Ok(Check::ok(
                CHECK,
                format!("the event of request {id} reached the ledger after {took}s"),
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(Check::failing(
        CHECK,
        format!(
            "the event of request {id} did not reach the ledger within {}s",
            PATIENCE.as_secs()
        ),
        "Look at the trail, the rule, the bus and the function hear-events, in this order; vending works without events, but slowly.",
    ))
}
