//! `landfall delete landing-zone NAME`, `landfall delete platform NAME`.

use std::fmt::Write as _;

use clap::Args;
use tenant::{Kind, LandingZone, Name, Spec, TenantView};

use super::super::Context;
use crate::api::Api;
use crate::exit::{Exit, Trouble};
use crate::show::configured;

/// Names of tenants that are said.
const NAMED: usize = 10;

/// Arguments of the deletion of a landing zone or platform.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Its name.
    pub name: String,
    /// Deletes it; without this, only says what that does.
    #[arg(long)]
    pub yes: bool,
}

/// Says what the deletion does, or does it.
pub async fn run<S: Spec>(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let (kind, name) = (configured(S::KIND), &arguments.name);
    let api = context.api().await?;
    if !arguments.yes {
        if api.config::<S>(name).await?.is_none() {
            return Err(Trouble::new(Exit::NotFound, format!("there is no {kind} `{name}`")));
        }
        let users = users(&api, S::KIND, name).await?;
        context.terminal.print(outlook(S::KIND, name, &users));
        return Err(Trouble::new(
            Exit::BadInput,
            format!("nothing is deleted: say `landfall delete {kind} {name} --yes` for that"),
        ));
    }
    api.delete_config::<S>(name).await?;
    context.terminal.say(format!(
        "{} {name}: deleted; its history stays: landfall history {kind} {name}",
        S::KIND.as_str()
    ));
    Ok(Exit::Ok)
}

/// Who would have to go first.
struct Users {
    tenants: Vec<String>,
    landing_zones: Vec<String>,
}

async fn users(api: &Api, kind: Kind, name: &str) -> Result<Users, Trouble> {
    let is_on = |tenant: &TenantView| match kind {
        Kind::Platform => Name::parse(&tenant.name).is_some_and(|it| it.platform == *name),
        _ => tenant.landing_zone == *name,
    };
    let tenants = api.tenants(None, false).await?.into_iter().filter(is_on);
    let zones =
        if kind == Kind::Platform { api.configs::<LandingZone>().await? } else { Vec::new() };
    let zones = zones.into_iter().filter(|zone| zone.spec.platform == *name);
    Ok(Users {
        tenants: tenants.map(|tenant| tenant.name).collect(),
        landing_zones: zones.map(|zone| zone.metadata.name).collect(),
    })
}

/// What deleting a landing zone or platform does.
fn outlook(kind: Kind, name: &str, users: &Users) -> String {
    let mut text = format!("Deleting {} {name}:\n", configured(kind));
    let mut line = |what: &str| {
        let _ = writeln!(text, "  - {what}");
    };
    let Users { tenants, landing_zones } = users;
    if !tenants.is_empty() {
        let (count, more) = (tenants.len(), tenants.len().saturating_sub(NAMED));
        let first = tenants.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        line(&format!("is refused while these tenants live, {count} in all: {first}{more}"));
    }
    if !landing_zones.is_empty() {
        line(&format!(
            "is refused while these landing zones are there: {}",
            landing_zones.join(", ")
        ));
    }
    line("ends its roll-out, if one is under way");
    line("keeps its history, which goes on if it is applied again");
    line("changes nothing in AWS");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_the_way_is_named() {
        let tenants = (0..12).map(|number| format!("a.t{number}.aws")).collect();
        let users = Users { tenants, landing_zones: vec!["production".to_owned()] };
        let text = outlook(Kind::Platform, "aws", &users);
        assert!(text.starts_with("Deleting platform aws:\n"), "{text}");
        assert!(
            text.contains("12 in all: a.t0.aws, ") && text.contains("a.t9.aws and 2 more\n"),
            "{text}"
        );
        assert!(text.contains("landing zones are there: production\n"), "{text}");
        let nobody = Users { tenants: Vec::new(), landing_zones: Vec::new() };
        let text = outlook(Kind::LandingZone, "sandbox", &nobody);
        assert!(text.starts_with("Deleting landing-zone sandbox:\n"), "{text}");
        assert!(!text.contains("refused"), "{text}");
    }
}
