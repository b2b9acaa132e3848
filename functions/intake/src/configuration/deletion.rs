//! Deletions of platforms and landing zones that nobody uses; nothing in AWS is touched.

use entry::Means;
use ledger::Error;
use tenant::{ConfigurationEntry, Kind, LandingZone};

use super::{Configuration, concerned};
use crate::tenants::ATTEMPTS;
use crate::{Refusal, Request, Response};

/// Deletes a platform or landing zone that nobody uses. Who did not hear the answer asks again and hears it.
///
/// Somebody may wish for it in the very moment in which it goes, or so shortly before that the index of names does not
/// show the tenant yet. Such a wish is not lost: its run says that there is no such landing zone or platform and what to
/// do (admit, and the driver of all steps), and where that is applied again, the tenant runs by itself. A landing zone
/// that is applied in the moment in which its platform goes says so whenever it is wished for or applied again.
pub async fn delete<S: Configuration>(
    means: &Means,
    request: &Request,
    name: &str,
    author: &str,
) -> Result<Response, Refusal> {
    let precondition = request.precondition();
    for _ in 0..ATTEMPTS {
        let before = means.ledger.config::<S>(name).await?;
        precondition.check(before.as_ref().map(|before| before.version))?;
        let Some(before) = before else {
            let last = means.ledger.last_config_entry(S::KIND, name).await?;
            let missing = || Refusal::Missing(format!("{} `{name}`", S::KIND.as_str()));
            return last
                .filter(ConfigurationEntry::is_end)
                .map(|end| answer(&end))
                .ok_or_else(missing);
        };
        let users = Users::of::<S>(means, name).await?;
        if !users.are_none() {
            return Err(Refusal::InUse(users));
        }
        let of = (name, before.version + 1);
        let entry = ConfigurationEntry::of(of, Some(&before.spec), None, author, means.now());
        match means.ledger.unconfigure(&before, &entry).await {
            Ok(()) => return Ok(answer(&entry)),
            // Somebody else has written it.
            Err(Error::Conflict) => {}
            Err(Error::Failure(failure)) => return Err(failure.into()),
        }
    }
    Err(Refusal::Busy)
}

fn answer(end: &ConfigurationEntry) -> Response {
    Response::json(200, end).tagged(end.version)
}

/// What keeps a platform or landing zone from being deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Users {
    /// What is used: a platform or a landing zone.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The landing zones that belong to it.
    pub landing_zones: Vec<String>,
    /// How many living tenants use it.
    pub tenants: u32,
    /// The names of the first of them.
    pub first: Vec<String>,
}

impl Users {
    async fn of<S: Configuration>(means: &Means, name: &str) -> Result<Self, Refusal> {
        let landing_zones = if S::KIND == Kind::Platform {
            let zones = means.ledger.configs::<LandingZone>().await?.into_iter();
            zones.filter(|zone| zone.spec.platform == name).map(|zone| zone.name).collect()
        } else {
            Vec::new()
        };
        let (tenants, first) = concerned(means, |tenant| S::concerns(name, tenant)).await?;
        let first = first.iter().map(|tenant| tenant.name.to_string()).collect();
        Ok(Self { kind: S::KIND, name: name.to_owned(), landing_zones, tenants, first })
    }

    fn are_none(&self) -> bool {
        self.landing_zones.is_empty() && self.tenants == 0
    }

    /// Who they are, and what to do about them.
    #[must_use]
    pub fn reason(&self) -> String {
        let (what, free) = match self.kind {
            Kind::Platform => ("Platform", "delete or purge the tenants"),
            _ => (
                "Landing zone",
                "apply the tenants with another landing zone, or delete or purge them",
            ),
        };
        let (mut who, mut remedies) = (Vec::new(), Vec::new());
        if self.tenants > 0 {
            let all = self.tenants as usize;
            let more = match all.saturating_sub(self.first.len()) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let tenants = plural("living tenant", all);
            who.push(format!("{all} {tenants} ({}{more})", self.first.join(", ")));
            remedies.push(free);
        }
        if !self.landing_zones.is_empty() {
            let zones = plural("landing zone", self.landing_zones.len());
            who.push(format!("{zones} {}", self.landing_zones.join(", ")));
            remedies.push("delete its landing zones");
        }
        let (name, who) = (&self.name, who.join(" and "));
        format!(
            "{what} `{name}` is used by {who}. First {}; then delete it.",
            remedies.join(", then ")
        )
    }
}

fn plural(word: &str, count: usize) -> String {
    format!("{word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(kind: Kind, landing_zones: &[&str], tenants: u32, first: &[&str]) -> String {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (landing_zones, first) = (owned(landing_zones), owned(first));
        Users { kind, name: "one".to_owned(), landing_zones, tenants, first }.reason()
    }

    #[test]
    fn who_uses_a_landing_zone_is_counted_and_the_first_are_named() {
        assert_eq!(
            users(Kind::LandingZone, &[], 1, &["a.b.aws"]),
            "Landing zone `one` is used by 1 living tenant (a.b.aws). First apply the tenants with another landing zone, \
             or delete or purge them; then delete it."
        );
        let many = users(Kind::LandingZone, &[], 12, &["a.b.aws", "c.d.aws"]);
        assert!(many.contains("by 12 living tenants (a.b.aws, c.d.aws and 10 more)"), "{many}");
    }

    #[test]
    fn a_platform_is_used_by_its_landing_zones_too() {
        assert_eq!(
            users(Kind::Platform, &["production", "sandbox"], 0, &[]),
            "Platform `one` is used by landing zones production, sandbox. First delete its landing zones; then delete it."
        );
        assert_eq!(
            users(Kind::Platform, &["production"], 2, &["a.b.aws", "c.d.aws"]),
            "Platform `one` is used by 2 living tenants (a.b.aws, c.d.aws) and landing zone production. First delete or \
             purge the tenants, then delete its landing zones; then delete it."
        );
    }
}
