//! `landfall delete project WORKSPACE.PROJECT`: all tenants of a project, or none.

use clap::Args;
use tenant::{LandingZone, Name, Phase, TenantView};

use super::super::Context;
use super::super::follow::{Followed, exit, follow};
use super::super::get::tenants_table;
use super::outlook;
use crate::api::Api;
use crate::exit::{Exit, Trouble};
use crate::options::Waiting;

/// Arguments of the deletion of a project.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Its name: `<workspace>.<project>`.
    pub name: String,
    /// Marks its tenants; without this, only says what that does.
    #[arg(long)]
    pub yes: bool,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Says what the deletion does; marks all tenants if that is wanted, and shows how their access goes.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let name = &arguments.name;
    let (workspace, project) = parts(name)?;
    let api = context.api().await?;
    let before = of_project(&api, workspace, project).await?;
    if !arguments.yes {
        if before.is_empty() {
            let nobody = format!("no living tenant is of project `{name}`");
            return Err(Trouble::new(Exit::NotFound, nobody));
        }
        for tenant in &before {
            let zone = api.config::<LandingZone>(&tenant.landing_zone).await?;
            context.terminal.print(outlook(tenant, zone.as_ref().map(|zone| &zone.spec)));
        }
        return Err(Trouble::new(
            Exit::BadInput,
            format!("nothing is deleted: say `landfall delete project {name} --yes` for that"),
        ));
    }
    let marked = api.delete_project(workspace, project).await?;
    for tenant in &marked {
        context.terminal.say(format!("Tenant {}: marked for deletion", tenant.name));
    }
    if arguments.waiting.no_wait {
        return Ok(Exit::Ok);
    }
    let followed: Vec<_> = marked.iter().map(|tenant| leaving(tenant, &before)).collect();
    let ended = follow(context, &api, &followed, arguments.waiting.timeout).await?;
    context.terminal.print(tenants_table(&ended, context.terminal.colours_results()));
    Ok(exit(&ended))
}

/// A tenant with the run that shuts its people out: one that was marked before may have had it.
fn leaving(tenant: &TenantView, before: &[TenantView]) -> Followed {
    let known = before.iter().find(|known| known.id == tenant.id);
    let run = match known {
        Some(known) if known.phase != Phase::MarkedForDeletion => known.run + 1,
        _ => 0,
    };
    let name = Name::new(&tenant.workspace, &tenant.project, &tenant.platform);
    Followed { name, run }
}

fn parts(name: &str) -> Result<(&str, &str), Trouble> {
    let parts = name.split_once('.').filter(|(workspace, project)| {
        !workspace.is_empty() && !project.is_empty() && !project.contains('.')
    });
    parts.ok_or_else(|| {
        Trouble::new(
            Exit::BadInput,
            format!("`{name}` is no project's name: write `<workspace>.<project>`"),
        )
    })
}

async fn of_project(api: &Api, workspace: &str, project: &str) -> Result<Vec<TenantView>, Trouble> {
    let tenants = api.tenants(Some(workspace), false).await?.into_iter();
    Ok(tenants.filter(|tenant| tenant.project == project).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_name_has_two_parts() {
        assert_eq!(parts("payments.checkout").expect("two parts"), ("payments", "checkout"));
        for name in ["payments", "payments.", ".checkout", "payments.checkout.aws"] {
            let trouble = parts(name).expect_err("not two parts");
            assert_eq!(trouble.exit, Exit::BadInput, "{name}");
            assert!(trouble.to_string().contains("<workspace>.<project>"), "{trouble}");
        }
    }
}
