//! `landfall rebuild`: after the loss of the ledger, tenants come back from what accounts say and people wished for.

mod verdict;

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use tenant::{AccountId, Document, LandingZone, Platform, TenantView};
use verdict::{Outcome, Verdict, Wished, verdicts};

use super::Context;
use super::follow::{Followed, exit, follow};
use crate::api::{Api, Applied};
use crate::exit::{Exit, Trouble};
use crate::options::{Format, Waiting};
use crate::show::{self, table};
use crate::wish::Wishes;

/// Arguments of `rebuild`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Files and directories with the wishes, as `apply` takes them; only tenants in them are read.
    #[arg(short, long = "file", num_args = 1.., value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// Only this platform; without it all that are applied.
    #[arg(long)]
    pub platform: Option<String>,
    /// Says what would be restored, what can't be told, and what is no tenant's; changes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Restores what the ledger has lost.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let wishes = if arguments.files.is_empty() {
        Wishes::default()
    } else {
        Wishes::load(&arguments.files)?
    };
    let api = context.api().await?;
    let mut all = judged(context, &api, arguments, &wishes).await?;
    let mut restored = Vec::new();
    for one in &mut all {
        restored.extend(settle(context, &api, one, arguments.dry_run).await?);
    }
    let unclear = all.iter().any(|one| one.outcome == Outcome::Unclear);
    let stays = !arguments.waiting.no_wait && !restored.is_empty();
    let ended = if stays {
        let followed: Vec<Followed> = restored.iter().map(Followed::wish).collect();
        follow(context, &api, &followed, arguments.waiting.timeout).await
    } else {
        Ok(Vec::new())
    };
    context.terminal.print(match arguments.output {
        Format::Table => verdicts_table(&all),
        format => show::structured(format, &all),
    });
    context.terminal.say(counted(&all));
    match exit(&ended?) {
        Exit::Ok if unclear => Ok(Exit::Failed),
        exit => Ok(exit),
    }
}

/// What is to become of the accounts of all platforms.
async fn judged(
    context: &Context,
    api: &Api,
    arguments: &Arguments,
    wishes: &Wishes,
) -> Result<Vec<Verdict>, Trouble> {
    let mut platforms: Vec<Document<Platform>> = api.configs().await?;
    if let Some(wanted) = &arguments.platform {
        platforms.retain(|platform| platform.metadata.name == *wanted);
    }
    if platforms.is_empty() {
        let what = arguments.platform.as_ref().map_or_else(
            || "there is no platform: apply platforms and landing zones first".to_owned(),
            |wanted| {
                format!("there is no platform `{wanted}`: apply it and its landing zones first")
            },
        );
        return Err(Trouble::new(Exit::NotFound, what));
    }
    let zones: Vec<Document<LandingZone>> = api.configs().await?;
    let zones: HashMap<String, LandingZone> =
        zones.into_iter().map(|zone| (zone.metadata.name, zone.spec)).collect();
    let mut all = Vec::new();
    for Document { metadata, spec, .. } in &platforms {
        let claims = api.claims(&metadata.name).await?;
        context.terminal.note(format!("{}: {} accounts", metadata.name, claims.len()));
        let wished = Wished::new(wishes.tenants(), &zones, &metadata.name, spec);
        all.extend(verdicts(&claims, &wished));
    }
    Ok(all)
}

/// Does what is to be done with an account, or only asks whether it can be done; the tenant if that is to run now. What
/// is refused is unclear, and keeps no other back.
async fn settle(
    context: &Context,
    api: &Api,
    one: &mut Verdict,
    dry_run: bool,
) -> Result<Option<TenantView>, Trouble> {
    let (Some(document), Some(account)) = (one.document.take(), one.account.clone()) else {
        return Ok(None);
    };
    let account = AccountId::try_from(account).map_err(|why| Trouble::new(Exit::Failed, why))?;
    let answer = if dry_run {
        api.check_restoration(&account, &document).await.map(|view| (Applied::Unchanged, view))
    } else {
        api.put_restoration(&account, &document).await
    };
    let (applied, view) = match answer {
        Ok(answer) => answer,
        Err(trouble) if matches!(trouble.exit, Exit::BadInput | Exit::Conflict) => {
            one.outcome = Outcome::Unclear;
            one.remark = trouble.plain();
            return Ok(None);
        }
        Err(trouble) => return Err(trouble),
    };
    if dry_run {
        return Ok(None);
    }
    let is_gone = one.outcome == Outcome::Gone;
    one.outcome = match applied {
        Applied::Created if is_gone => Outcome::PutDown,
        Applied::Created => Outcome::Restored,
        _ => Outcome::Known,
    };
    context.terminal.say(format!("Tenant {}: {account} {}", view.name, one.outcome.as_str()));
    Ok((one.outcome == Outcome::Restored).then_some(view))
}

fn verdicts_table(all: &[Verdict]) -> String {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            let what = match (one.outcome, one.remark.as_str()) {
                (outcome, "") => outcome.as_str().to_owned(),
                (outcome, remark) => format!("{}: {remark}", outcome.as_str()),
            };
            vec![or_dash(&one.account), or_dash(&one.email), or_dash(&one.tenant), what]
        })
        .collect();
    table(&["ACCOUNT", "E-MAIL", "TENANT", ""], &rows)
}

/// How many came to what.
fn counted(all: &[Verdict]) -> String {
    let of = |outcome| all.iter().filter(|one| one.outcome == outcome).count();
    let told = [
        (Outcome::Restored, "restored"),
        (Outcome::Restorable, "can be restored"),
        (Outcome::PutDown, "put down as deleted"),
        (Outcome::Gone, "closed"),
        (Outcome::Known, "known already"),
        (Outcome::Unclear, "unclear"),
        (Outcome::Unmanaged, "no tenant's"),
        (Outcome::Absent, "without an account"),
    ];
    let told = told.into_iter().map(|(outcome, what)| (of(outcome), what));
    let told: Vec<String> =
        told.filter(|(many, _)| *many > 0).map(|(many, what)| format!("{many} {what}")).collect();
    if told.is_empty() { "there is no account".to_owned() } else { told.join(", ") }
}
