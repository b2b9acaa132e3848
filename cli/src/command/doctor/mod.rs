//! `landfall doctor`: whether the organization is ready for Landfall, and what to do about what is not.
//!
//! It looks with the credentials of two accounts: the management account's and the automation account's. It changes
//! nothing, but for two things that are asked for: the round trip of `--first-vend` asks Organizations for an account
//! with an address that is taken, which fails, and waits for the event that says so to reach the ledger; `--rotate`
//! changes the external ids first.

mod accounts;
mod control_tower;
mod events;
mod external_ids;
mod guardrail;
mod identity;
mod installation;
mod mail;
mod permissions;
mod roles;
mod rotation;

use std::fmt::Display;

use aws_config::SdkConfig;
use clap::Args;
use refusal::Refusal;
use serde::Serialize;

use super::Context;
use crate::api::{Api, aws_config};
use crate::exit::{Exit, Trouble};
use crate::options::Format;
use crate::show::{Paint, structured};

/// Arguments of `doctor`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Also sends an event all the way, which takes some minutes: what must work before the first account.
    #[arg(long)]
    first_vend: bool,
    /// Changes the external ids first, in an order in which no run fails. Repeating it goes on where it stopped.
    #[arg(long)]
    rotate: bool,
    /// Profile of the automation account; --profile is the management account's.
    #[arg(long, value_name = "NAME", env = "LANDFALL_AUTOMATION_PROFILE")]
    automation_profile: Option<String>,
    /// Name of Landfall's stack in the automation account.
    #[arg(long, default_value = "landfall", value_name = "NAME")]
    stack: String,
    /// An e-mail domain of which you know that mail to any address arrives.
    #[arg(long, value_name = "DOMAIN")]
    email_domain: Vec<String>,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// What came of one check.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Advice,
    Failing,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
struct Check {
    #[serde(rename = "check")]
    name: &'static str,
    verdict: Verdict,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<Gap>,
}

/// A permission that a role lacks.
#[derive(Clone, Debug, Serialize)]
struct Gap {
    role: String,
    action: String,
    resource: String,
    steps: Vec<String>,
}

impl Check {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { name: check, verdict: Verdict::Ok, found: found.into(), remedy: None, gap: None }
    }

    /// Not needed for a vend, and wanted all the same.
    fn advice(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Advice, ..Self::failing(check, found, remedy) }
    }

    fn failing(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            name: check,
            verdict: Verdict::Failing,
            found: found.into(),
            remedy: Some(remedy.into()),
            gap: None,
        }
    }

    fn when(
        check: &'static str,
        good: bool,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        if good { Self::ok(check, found) } else { Self::failing(check, found, remedy) }
    }

    fn line(&self, paint: Paint) -> String {
        let sign = match self.verdict {
            Verdict::Ok => paint.good("ok     "),
            Verdict::Advice => paint.bold("advice "),
            Verdict::Failing => paint.bad("failing"),
        };
        let remedy = self.remedy.as_ref().map(|remedy| format!(" {remedy}")).unwrap_or_default();
        format!("{sign}  {:<22}  {}.{remedy}", self.name, self.found)
    }
}

/// A check that AWS refused to answer.
#[derive(Debug)]
struct Unanswered(String);

impl From<Refusal> for Unanswered {
    fn from(refusal: Refusal) -> Self {
        let code = if refusal.code.is_empty() { "no answer" } else { &refusal.code };
        Self(format!("{} was refused: {code}: {}", refusal.operation, refusal.message))
    }
}

/// What the checks look with.
#[derive(Debug)]
struct Patient {
    management: SdkConfig,
    automation: SdkConfig,
    api: Option<Api>,
    stack: String,
    email_domains: Vec<String>,
    region: String,
}

/// Runs all checks and prints a line for each.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let common = &context.common;
    let region = common.region.as_deref();
    let management = aws_config(common.profile.as_deref(), region).await;
    let automation = aws_config(arguments.automation_profile.as_deref(), region).await;
    let region = management.region().map(ToString::to_string).ok_or_else(|| {
        Trouble::new(
            Exit::BadInput,
            "which Region is Landfall's? Set AWS_REGION, LANDFALL_REGION or --region",
        )
    })?;
    let of_automation =
        crate::options::Common { profile: arguments.automation_profile.clone(), ..common.clone() };
    let patient = Patient {
        management,
        automation,
        api: Api::connect(&of_automation).await.ok(),
        stack: arguments.stack.clone(),
        email_domains: arguments.email_domain.clone(),
        region,
    };
    let mut report = Report { context, format: arguments.output, checks: Vec::new() };
    if arguments.rotate {
        context.terminal.note("rotating the external ids; this takes a minute or two …");
        rotation::rotate(&patient, |check| {
            report.add(check);
        })
        .await
        .unwrap_or_else(|Unanswered(why)| {
            let remedy = "Mend it and repeat: the rotation goes on where it stopped.";
            report.add(Check::failing("rotation", why, remedy));
        });
    }
    let organization = report.take("organization", accounts::organization(&patient).await);
    report.take("accounts left", accounts::room(&patient).await);
    report.take("trail", accounts::trail(&patient).await);
    report.take("trusted access", accounts::trusted_access(&patient).await);
    report.take("functions", installation::functions(&patient).await);
    report.take("concurrency", installation::concurrency(&patient).await);
    report.all("role", roles::all(&patient).await);
    report.all("permissions", permissions::all(&patient).await);
    report.all("guardrail", guardrail::all(&patient).await);
    report.take("stack sets", installation::stack_sets(&patient).await);
    report.take("API", installation::api(&patient).await);
    report.take("dead letters", installation::letters(&patient).await);
    report.take("rules that forward", events::rules(&patient).await);
    report.take("event bus", events::bus(&patient).await);
    report.all("Control Tower", control_tower::all(&patient).await);
    report.take("e-mail domain", mail::domain(&patient).await);
    if arguments.first_vend {
        if organization {
            context.terminal.note("sending an event all the way; this takes some minutes …");
            report.take("round trip", events::round_trip(&patient).await);
        } else {
            let remedy = "Mend the organization first.";
            report.add(Check::failing(
                "round trip",
                "no event can be sent without an organization",
                remedy,
            ));
        }
    }
    Ok(report.end())
}

struct Report<'a> {
    context: &'a Context,
    format: Format,
    checks: Vec<Check>,
}

impl Report<'_> {
    /// Takes a check's result; whether it is well.
    fn take(&mut self, check: &'static str, result: Result<Check, Unanswered>) -> bool {
        let remedy = "Let these credentials look, with ReadOnlyAccess for example and secretsmanager:GetSecretValue for the external ids, and repeat.";
        self.add(result.unwrap_or_else(|Unanswered(why)| Check::failing(check, why, remedy)))
    }

    fn all(&mut self, check: &'static str, result: Result<Vec<Check>, Unanswered>) {
        match result {
            Ok(checks) => checks.into_iter().for_each(|check| {
                self.add(check);
            }),
            Err(why) => {
                self.take(check, Err(why));
            }
        }
    }

    fn add(&mut self, check: Check) -> bool {
        let well = check.verdict != Verdict::Failing;
        if self.format == Format::Table {
            let paint = Paint::still(self.context.terminal.colours_results());
            self.context.terminal.print(check.line(paint));
        }
        self.checks.push(check);
        well
    }

    fn end(self) -> Exit {
        let failing = self.checks.iter().filter(|check| check.verdict == Verdict::Failing).count();
        if self.format == Format::Table {
            let said = match failing {
                0 => "ready".to_owned(),
                1 => "1 check is failing".to_owned(),
                many => format!("{many} checks are failing"),
            };
            self.context.terminal.print(said);
        } else {
            self.context.terminal.print(structured(self.format, &self.checks));
        }
        if failing == 0 { Exit::Ok } else { Exit::Failed }
    }
}

/// Things in a sentence.
fn listed<T: Display>(things: &[T]) -> String {
    things.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_one_line_with_its_remedy() {
        let paint = Paint::still(false);
        let ok = Check::ok("trail", "organization logs management events");
        assert_eq!(
            ok.line(paint),
            "ok       trail                   organization logs management events."
        );
        let failing = Check::failing("trail", "there is none", "Make one.");
        assert_eq!(
            failing.line(paint),
            "failing  trail                   there is none. Make one."
        );
    }
}
