//! The history of everything, part by part: of all tenants, those that are no more included, then of all landing zones and
//! platforms.
//!
//! Nothing of it is ever changed or forgotten, so a place in it stays good for as long as the ledger is: whoever is
//! interrupted goes on from there. A tenant that is deleted meanwhile may come twice, among the living and among the
//! deleted; none is left out.

use entry::Means;
use jiff::Timestamp;
use ledger::{AGAIN, List, listed_name};
use tenant::{HistoryLine, HistoryPage, Kind, Name, Platform, Reader, Tenant, Uuid};

use crate::route::is_identifier;
use crate::{Refusal, Request, Response};

/// Lines in one part.
const LINES: usize = 1_000;
/// Tenants that one part looks at.
const TENANTS: i32 = 100;
/// Entries of configuration that one part looks at; DynamoDB gives what a megabyte holds.
const CONFIGURATION: i32 = 1_000;
/// What parts a place from the entry in it; no name has it.
const INSIDE: char = '~';
/// How a place among landing zones and platforms begins; no tenant's name is without dots.
const CONFIGURED: &str = "configuration";

/// Whose history is asked for, and since when.
#[derive(Debug, Default)]
struct Asked<'a> {
    workspace: Option<&'a str>,
    platform: Option<&'a str>,
    since: Option<Timestamp>,
    place: Place,
}

/// Where a part begins: tenants come before configuration.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    /// Among tenants.
    Tenants(Among),
    /// Among landing zones and platforms: what was read last; none before the first entry.
    Configuration(Option<(Kind, String, u64)>),
}

/// Where a part begins among tenants: the living ones come before those that are deleted.
#[derive(Clone, Debug, Default, PartialEq)]
struct Among {
    list: List,
    /// What the tenant is listed as that was read last; none before the first one.
    after: Option<String>,
    /// The entry of that tenant that was read last; none if all of them were.
    entry: Option<Inside>,
}

/// An entry of a tenant.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Inside {
    tenant: Uuid,
    at: Timestamp,
    version: u64,
}

impl Default for Place {
    fn default() -> Self {
        Self::Tenants(Among::default())
    }
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let Some(entry) = text.strip_prefix(CONFIGURED) else {
            return Among::read(text).map(Self::Tenants);
        };
        if entry.is_empty() {
            return Some(Self::Configuration(None));
        }
        let mut parts = entry.strip_prefix(INSIDE)?.split(INSIDE);
        let kind = parts.next()?;
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
        let name = parts.next().filter(|name| is_identifier(name))?.to_owned();
        let version = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self::Configuration(Some((kind, name, version))))
    }

    fn written(&self) -> String {
        match self {
            Self::Tenants(among) => among.written(),
            Self::Configuration(None) => CONFIGURED.to_owned(),
            Self::Configuration(Some((kind, name, version))) => {
                format!("{CONFIGURED}{INSIDE}{}{INSIDE}{name}{INSIDE}{version}", kind.as_str())
            }
        }
    }
}

impl Among {
    /// The name of the tenant that was read last.
    fn name(&self) -> Option<Name> {
        let listed = self.after.as_deref()?;
        Name::parse(listed.split_once(AGAIN).map_or(listed, |(name, _)| name))
    }

    fn read(text: &str) -> Option<Self> {
        let (listed, entry) = match text.split_once(INSIDE) {
            None => (text, None),
            Some((listed, entry)) => (listed, Some(Inside::read(entry)?)),
        };
        if listed == AGAIN.to_string() && entry.is_none() {
            return Some(Self { list: List::Deleted, after: None, entry });
        }
        let list = if listed.contains(AGAIN) { List::Deleted } else { List::Living };
        let among = Self { list, after: Some(listed.to_owned()), entry };
        among.name().is_some().then_some(among)
    }

    fn written(&self) -> String {
        let listed = self.after.clone().unwrap_or_else(|| AGAIN.to_string());
        match &self.entry {
            None => listed,
            Some(Inside { tenant, at, version }) => {
                let at = at.as_millisecond();
                format!("{listed}{INSIDE}{tenant}{INSIDE}{at}{INSIDE}{version}")
            }
        }
    }
}

impl Inside {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(INSIDE);
        let tenant = Uuid::parse_str(parts.next()?).ok()?;
        let at = Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?;
        let version = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { tenant, at, version })
    }
}

impl<'a> Asked<'a> {
    fn of(request: &'a Request) -> Result<Self, Refusal> {
        let query = |name: &str| request.query_string_parameters.get(name).map(String::as_str);
        let since = query("since").map(str::parse).transpose().map_err(|_| {
            Refusal::WrongQuery("`since` is an instant, such as `2026-01-31T00:00:00Z`.")
        })?;
        let place = query("after").map_or_else(|| Some(Place::default()), Place::read);
        let workspace = query("workspace");
        if workspace.is_some_and(|workspace| !is_identifier(workspace)) {
            return Err(Refusal::WrongQuery("`workspace` is no workspace's identifier."));
        }
        let elsewhere = Refusal::WrongQuery("`after` is none of this history's `next`.");
        let Some(place) = place else { return Err(elsewhere) };
        let asked = Self { workspace, platform: query("platform"), since, place };
        let fits = match &asked.place {
            Place::Tenants(among) => among.name().is_none_or(|name| asked.is_about(&name)),
            Place::Configuration(_) => asked.has_configuration(),
        };
        if fits { Ok(asked) } else { Err(elsewhere) }
    }

    /// Landing zones and platforms are no workspace's.
    fn has_configuration(&self) -> bool {
        self.workspace.is_none()
    }

    fn is_about(&self, name: &Name) -> bool {
        self.platform.is_none_or(|platform| name.platform == platform)
            && self.workspace.is_none_or(|workspace| name.workspace == workspace)
    }
}

/// A part of the history of everything.
pub async fn all(means: &Means, request: &Request) -> Result<Response, Refusal> {
    let asked = Asked::of(request)?;
    // One that is deleted has a history all the same.
    if let Some(platform) = asked.platform
        && means.ledger.config::<Platform>(platform).await?.is_none()
        && means.ledger.last_config_entry(Kind::Platform, platform).await?.is_none()
    {
        return Err(Refusal::WrongQuery("`platform` is none that is known."));
    }
    let as_of = means.now();
    let mut items = Vec::new();
    let next = match &asked.place {
        Place::Tenants(among) => fill(means, &asked, among, &mut items).await?,
        Place::Configuration(after) => {
            configured(means, &asked, after.as_ref(), &mut items).await?
        }
    };
    Ok(Response::json(200, &HistoryPage { items, next: next.map(|it| it.written()), as_of }))
}

/// Reads tenants' lines until the part is full; where the next one begins, if there is one.
async fn fill(
    means: &Means,
    asked: &Asked<'_>,
    Among { list, after, entry }: &Among,
    lines: &mut Vec<HistoryLine>,
) -> Result<Option<Place>, Refusal> {
    let at = |list, after, entry| Some(Place::Tenants(Among { list, after, entry }));
    if let (Some(listed), Some(inside)) = (after, entry)
        && let Some(tenant) = means.ledger.tenant(inside.tenant).await?
        && let Some(entry) = go_on(means, asked, &tenant, Some(*inside), lines).await?
    {
        return Ok(at(*list, Some(listed.clone()), Some(entry)));
    }
    let (tenants, next) =
        means.ledger.tenants(*list, asked.workspace, after.as_deref(), TENANTS).await?;
    for tenant in tenants.iter().filter(|tenant| asked.is_about(&tenant.name)) {
        let after = Some(listed_name(tenant));
        if let Some(entry) = go_on(means, asked, tenant, None, lines).await? {
            return Ok(at(*list, after, Some(entry)));
        }
        if lines.len() >= LINES {
            return Ok(at(*list, after, None));
        }
    }
    Ok(match (next, list) {
        (Some(after), list) => at(*list, Some(after), None),
        (None, List::Living) => at(List::Deleted, None, None),
        (None, List::Deleted) => asked.has_configuration().then_some(Place::Configuration(None)),
    })
}

/// Reads lines of landing zones and platforms; where the next part begins, if there is one.
async fn configured(
    means: &Means,
    asked: &Asked<'_>,
    after: Option<&(Kind, String, u64)>,
    lines: &mut Vec<HistoryLine>,
) -> Result<Option<Place>, Refusal> {
    let after = after.map(|(kind, name, version)| (*kind, name.as_str(), *version));
    let (entries, more) = means.ledger.config_history(None, after, CONFIGURATION).await?;
    let last = entries.last().filter(|_| more);
    let next =
        last.map(|last| Place::Configuration(Some((last.kind, last.name.clone(), last.version))));
    let wanted = entries.into_iter().filter(|entry| {
        asked.since.is_none_or(|since| entry.at >= since)
            && asked.platform.is_none_or(|platform| entry.is_of(platform))
    });
    lines.extend(wanted.map(HistoryLine::Configuration));
    Ok(next)
}

/// Reads on in one tenant's history; the last entry that was read, if there is more.
async fn go_on(
    means: &Means,
    asked: &Asked<'_>,
    tenant: &Tenant,
    inside: Option<Inside>,
    lines: &mut Vec<HistoryLine>,
) -> Result<Option<Inside>, Refusal> {
    let room = i32::try_from(LINES.saturating_sub(lines.len()).max(1)).unwrap_or(i32::MAX);
    let after = inside.map(|inside| (inside.at, inside.version));
    let (entries, more) = means.ledger.history_part(tenant.id, asked.since, after, room).await?;
    let last = entries.last().filter(|_| more);
    let last = last.map(|last| Inside { tenant: tenant.id, at: last.at, version: last.version });
    lines.extend(entries.into_iter().map(|entry| HistoryLine::of(tenant, entry, Reader::Operator)));
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_and_nothing_else_is() {
        let at = "2026-01-01T00:00:00.123Z".parse().expect("a timestamp");
        let entry = Some(Inside { tenant: Uuid::nil(), at, version: 12 });
        let tenants = |list, after: Option<&str>, entry| {
            Place::Tenants(Among { list, after: after.map(ToOwned::to_owned), entry })
        };
        let configured = |kind, name: &str| Place::Configuration(Some((kind, name.to_owned(), 12)));
        let places = [
            tenants(List::Deleted, None, None),
            tenants(List::Living, Some("a.b.aws"), None),
            tenants(List::Living, Some("a.b.aws"), entry),
            tenants(List::Deleted, Some("a.b.aws_000002"), entry),
            Place::Configuration(None),
            configured(Kind::LandingZone, "production"),
            configured(Kind::Platform, "aws"),
        ];
        for place in places {
            let text = place.written();
            assert_eq!(Place::read(&text), Some(place), "{text}");
            let is_plain = |one: char| one.is_ascii_alphanumeric() || "-._~".contains(one);
            assert!(text.chars().all(is_plain) && text.len() < 256, "{text} goes into a query");
        }
        let wrong = ["", "~", "a.b", "_~", "a.b.aws~", "a.b.aws~x~1~2", "a.b.aws~1~2~3~4"];
        let configuration = [
            "~",
            "x",
            "~Platform",
            "~Platform~aws",
            "~Platform~a.b~1",
            "~Zone~a~1",
            "~Platform~a~1~2",
        ];
        let configuration = configuration.map(|rest| format!("{CONFIGURED}{rest}"));
        for wrong in wrong.into_iter().chain(configuration.iter().map(String::as_str)) {
            assert_eq!(Place::read(wrong), None, "{wrong}");
        }
    }
}
