//! `landfall history`: what happened to one tenant, landing zone or platform, or to all that ever were.

use std::collections::HashSet;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use tenant::{HistoryLine, Kind, Uuid};

use super::Context;
use crate::api::{Api, name};
use crate::exit::{Exit, Trouble};
use crate::options::Format;
use crate::show::{configuration_history, history, instant, structured};

/// Arguments of `history`.
#[derive(Args, Debug)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    #[arg(required = true)]
    pub name: Option<String>,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// Another history than a tenant's.
    #[command(subcommand)]
    pub other: Option<Histories>,
}

impl Arguments {
    /// How the history is printed.
    #[must_use]
    pub fn output(&self) -> Format {
        match &self.other {
            Some(Histories::LandingZone(wanted) | Histories::Platform(wanted)) => wanted.output,
            Some(Histories::Export(_)) | None => self.output,
        }
    }
}

/// Histories other than a tenant's.
#[derive(Debug, Subcommand)]
pub enum Histories {
    /// Prints what happened to a landing zone, also once it is deleted: who changed which fields.
    #[command(aliases = ["landing-zones", "landingzone", "landingzones"])]
    LandingZone(Configuration),
    /// Prints what happened to a platform, also once it is deleted; for operators and auditors.
    #[command(alias = "platforms")]
    Platform(Configuration),
    /// Prints the history of all tenants, landing zones and platforms, deleted ones included, as JSON Lines; for
    /// operators and auditors.
    Export(Export),
}

/// Arguments of `history landing-zone` and `history platform`.
#[derive(Args, Debug)]
pub struct Configuration {
    /// Its name.
    pub name: String,
    /// How it is printed; other than in a table, with all that stood there before and after.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// How long a function of Landfall runs at the most: what it is about to write may bear a time as old as this.
const UNWRITTEN: SignedDuration = SignedDuration::from_mins(15);

/// Arguments of `history export`.
#[derive(Args, Debug)]
pub struct Export {
    /// Only tenants of this workspace.
    #[arg(short, long)]
    pub workspace: Option<String>,
    /// Only this platform, its tenants and its landing zones.
    #[arg(long)]
    pub platform: Option<String>,
    /// Only what happened then or later: a day, or an instant such as `2026-01-31T12:00:00Z`; UTC.
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub since: Option<Timestamp>,
    /// Goes on where an export that was cut short says.
    #[arg(long, value_name = "PLACE")]
    pub after: Option<String>,
}

/// Prints what happened, oldest first.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    match &arguments.other {
        Some(Histories::Export(wanted)) => return export(context, wanted).await,
        Some(Histories::LandingZone(wanted)) => {
            return configured(context, Kind::LandingZone, wanted).await;
        }
        Some(Histories::Platform(wanted)) => {
            return configured(context, Kind::Platform, wanted).await;
        }
        None => {}
    }
    let name = name(arguments.name.as_deref().unwrap_or_default())?;
    let answer = context.api().await?.history(&name).await?;
    let text = match arguments.output {
        Format::Table => history(&answer),
        format => structured(format, &answer),
    };
    context.terminal.print(text);
    Ok(Exit::Ok)
}

async fn configured(
    context: &Context,
    kind: Kind,
    wanted: &Configuration,
) -> Result<Exit, Trouble> {
    let entries = context.api().await?.configuration_history(kind, &wanted.name).await?;
    context.terminal.print(match wanted.output {
        Format::Table => configuration_history(&entries),
        format => structured(format, &entries),
    });
    Ok(Exit::Ok)
}

/// A day, or an instant.
fn since(text: &str) -> Result<Timestamp, String> {
    // A day with a time that lacks its zone is no day.
    let day = || text.parse().ok().filter(|day: &Date| day.to_string() == text);
    let day = || day()?.to_zoned(TimeZone::UTC).ok();
    let since = text.parse().ok().or_else(|| day().map(|day| day.timestamp()));
    since.ok_or_else(|| {
        "write a day or an instant, as in 2026-01-31 or 2026-01-31T12:00:00Z".to_owned()
    })
}

/// How much of an export was printed.
enum Told {
    /// All of it.
    All,
    /// What somebody read who has gone away, such as `head`.
    Some,
}

/// How far an export has come.
#[derive(Default)]
struct Progress {
    began: Option<Timestamp>,
    place: Option<String>,
    lines: usize,
    tenants: HashSet<Uuid>,
    configured: HashSet<String>,
}

impl Progress {
    fn count(&mut self, items: &[HistoryLine]) {
        self.lines += items.len();
        for line in items {
            match line {
                HistoryLine::Tenant(line) => self.tenants.insert(line.id),
                HistoryLine::Configuration(entry) => {
                    self.configured.insert(format!("{} {}", entry.kind.as_str(), entry.name))
                }
            };
        }
    }

    fn said(&self) -> String {
        let Self { lines, tenants, configured, .. } = self;
        let (tenants, configured) = (tenants.len(), configured.len());
        format!("{lines} entries of {tenants} tenants and {configured} landing zones and platforms")
    }
}

async fn export(context: &Context, arguments: &Export) -> Result<Exit, Trouble> {
    let api = context.api().await?;
    let mut progress = Progress { place: arguments.after.clone(), ..Progress::default() };
    let ended = pass_on(context, &api, arguments, &mut progress).await;
    match (&ended, &progress.place) {
        (Ok(Told::All), _) => {
            context.terminal.note(progress.said());
        }
        (Err(_), Some(place)) => {
            context.terminal.say(format!("for the rest, the same with --after {place}"));
        }
        (Ok(Told::Some), _) | (Err(_), None) => return ended.map(|_| Exit::Ok),
    }
    // An export that goes on has not looked again at what was read before it began.
    if let Some(began) = progress.began.filter(|_| arguments.after.is_none()) {
        context.terminal.note(format!("for what comes later, {}", later(began)));
    }
    ended.map(|_| Exit::Ok)
}

/// What the next export begins with, so that it leaves nothing out.
fn later(began: Timestamp) -> String {
    format!("--since {}", instant(began - UNWRITTEN))
}

/// Prints part after part; the place is behind what is printed.
async fn pass_on(
    context: &Context,
    api: &Api,
    arguments: &Export,
    progress: &mut Progress,
) -> Result<Told, Trouble> {
    let since = arguments.since.map(|since| since.to_string());
    let query = [
        ("workspace", arguments.workspace.as_deref()),
        ("platform", arguments.platform.as_deref()),
        ("since", since.as_deref()),
    ];
    let query: Vec<(&str, &str)> =
        query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    loop {
        let page = api.all_history(&query, progress.place.as_deref()).await?;
        progress.began.get_or_insert(page.as_of);
        if !context.terminal.hand_on(&lines(&page.items))? {
            return Ok(Told::Some);
        }
        progress.count(&page.items);
        match page.next {
            Some(next) => progress.place = Some(next),
            None => return Ok(Told::All),
        }
    }
}

fn lines(items: &[HistoryLine]) -> String {
    let line = |item| serde_json::to_string(item).map(|line| line + "\n");
    items.iter().filter_map(|item| line(item).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_day_or_an_instant() {
        let midnight: Timestamp = "2026-01-31T00:00:00Z".parse().expect("a timestamp");
        assert_eq!(since("2026-01-31"), Ok(midnight));
        assert_eq!(since("2026-01-31T02:00:00+02:00"), Ok(midnight));
        for wrong in ["", "yesterday", "2026-13-01", "2026-01-31T12:00"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_export_begins_before_what_may_still_have_been_on_its_way() {
        let began = "2026-01-31T00:10:00Z".parse().expect("a timestamp");
        assert_eq!(later(began), "--since 2026-01-30T23:55:00Z");
    }
}
