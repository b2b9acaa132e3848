//! `landfall move NAME --to WORKSPACE.PROJECT`.

use std::fmt::Write as _;

use clap::Args;
use tenant::{Name, PlanState, TenantView};

use super::Context;
use super::follow::{Followed, exit, follow};
use super::get::tenants_table;
use super::plan::planned;
use crate::api::{Applied, name};
use crate::exit::{Exit, Trouble};
use crate::options::{Format, Waiting};
use crate::show::{self, Paint};

/// Arguments of `move`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// Where it is to be.
    #[arg(long, value_name = "WORKSPACE.PROJECT")]
    pub to: String,
    /// Moves it; without this, only says what that would change.
    #[arg(long)]
    pub yes: bool,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
    /// How the plan or the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Says what a move would change; moves the tenant if that is wanted, and shows how its account follows.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let from = name(&arguments.name)?;
    let to = destination(&arguments.to, &from)?;
    let api = context.api().await?;
    if !arguments.yes {
        let plan = api.put_move_plan(&from, &to).await?;
        let plan = planned(&api, &to, plan).await?;
        context.terminal.print(match arguments.output {
            Format::Table => {
                let tenant = api.tenant(&from, true).await?;
                let paint = Paint::still(context.terminal.colours_results());
                outlook(&tenant, &to) + &show::plan(&plan, paint)
            }
            format => show::structured(format, &plan),
        });
        let exit = if plan.state == PlanState::Failed { Exit::Failed } else { Exit::BadInput };
        let to = &arguments.to;
        return Err(Trouble::new(
            exit,
            format!("nothing is moved: say `landfall move {from} --to {to} --yes` for that"),
        ));
    }
    let (applied, tenant) = api.post_move(&from, &to).await?;
    context.terminal.say(match applied {
        Applied::Unchanged => format!("Tenant {from}: is {to} already"),
        _ => format!("Tenant {from}: moved, and is {to} now"),
    });
    if arguments.waiting.no_wait {
        return Ok(Exit::Ok);
    }
    let followed = [Followed::wish(&tenant)];
    let ended = follow(context, &api, &followed, arguments.waiting.timeout).await?;
    context.terminal.print(match arguments.output {
        Format::Table => tenants_table(&ended, context.terminal.colours_results()),
        format => show::structured(format, &ended),
    });
    Ok(exit(&ended))
}

/// The name that the tenant is to have.
fn destination(text: &str, from: &Name) -> Result<Name, Trouble> {
    let parts: Vec<&str> = text.split('.').collect();
    match parts[..] {
        [workspace, project] if !workspace.is_empty() && !project.is_empty() => {
            Ok(Name::new(workspace, project, &from.platform))
        }
        _ => Err(Trouble::new(
            Exit::BadInput,
            format!(
                "`{text}` is no project: write <workspace>.<project>; the platform stays {}",
                from.platform
            ),
        )),
    }
}

/// What a move leaves as it is, and what it does besides what the plan says.
fn outlook(tenant: &TenantView, to: &Name) -> String {
    let mut text = format!("Moving tenant {} to {to}:\n", tenant.name);
    let mut line = |what: String| {
        let _ = writeln!(text, "  - {what}");
    };
    match (&tenant.account, &tenant.names) {
        (Some(account), Some(names)) => {
            let alias = names.alias.as_ref().map(|alias| format!(", its alias {alias}"));
            line(format!(
                "keeps account {account} with its name {}{}, its address {}",
                names.account_name,
                alias.unwrap_or_default(),
                names.email
            ));
        }
        _ => line("keeps its id; there is no account yet".to_owned()),
    }
    line("keeps its history".to_owned());
    line(format!(
        "keeps what was wished for: landing zone {}, tags, contacts, access",
        tenant.landing_zone
    ));
    let people = tenant.spec.people();
    if !people.is_empty() {
        line(format!("lets in whom it lets in: {}", people.join(", ")));
    }
    if tenant.workspace != to.workspace {
        line(format!(
            "is seen and changed by workspace {}, and no longer by {}",
            to.workspace, tenant.workspace
        ));
    }
    line(format!("leaves the name {} to whoever wishes for it", tenant.name));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_project_of_the_same_platform() {
        let from = Name::new("payments", "checkout", "aws");
        let to = destination("shipping.refunds", &from).expect("a project");
        assert_eq!(to, Name::new("shipping", "refunds", "aws"));
        for wrong in ["", "shipping", "shipping.", ".refunds", "shipping.refunds.aws"] {
            let trouble = destination(wrong, &from).expect_err("no project");
            assert_eq!(trouble.exit, Exit::BadInput, "{wrong}");
        }
    }
}
