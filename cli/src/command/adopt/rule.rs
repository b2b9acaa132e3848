//! `landfall adopt --unit OU -f template.yaml`: adopts each account that a rule selects, by itself. What keeps one
//! account out keeps no other out, and who repeats it is asked only about those that are left.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use tenant::{
    ACTIVE, AccountId, Document, Phase, PlanState, PlanView, Platform, TenantSpec, TenantView,
    Unmanaged,
};

use super::Arguments;
use crate::api::Api;
use crate::command::Context;
use crate::command::follow::{Followed, exit, follow};
use crate::command::plan::planned;
use crate::exit::{Exit, Trouble};
use crate::options::Format;
use crate::show;
use crate::wish::Template;

/// Accounts that are looked at or adopted at once: each is looked into, and AWS's pace is shared.
const ABREAST: usize = 4;

/// Which accounts are meant, and what gives each its project.
#[derive(Clone, Debug, Default)]
struct Rule {
    unit: String,
    tags: Vec<(String, String)>,
    project_tag: Option<String>,
}

/// An account that the rule selects.
#[derive(Clone, Debug)]
struct Selected {
    account: AccountId,
    name: String,
    tags: BTreeMap<String, String>,
}

/// What is to become of an account, or why nothing can.
type Intent = Result<Document<TenantSpec>, String>;

/// What became of an account.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    account: AccountId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    became: Became,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanView>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Became {
    Planned,
    Adopted,
    Refused,
}

/// Adopts what the rule selects, or says what that would do.
pub(super) async fn run(
    context: &Context,
    arguments: &Arguments,
    unit: &str,
) -> Result<Exit, Trouble> {
    let rule = Rule::of(arguments, unit)?;
    let template = Template::load(&arguments.files.files)?;
    let api = context.api().await?;
    let platform = api.config::<Platform>(&template.platform).await?.ok_or_else(|| {
        Trouble::new(Exit::NotFound, format!("there is no platform `{}`", template.platform))
    })?;
    let selected = selected(&api, &rule, &template.platform).await?;
    let longest = platform.spec.identifier_lengths.project;
    let intents = intents(&rule, &template, &selected, longest);
    let work = selected.iter().zip(intents);
    let outcomes = futures::stream::iter(work).map(|(one, intent)| {
        let api = &api;
        async move {
            if arguments.plan {
                plan(api, one, intent).await
            } else {
                adopt(api, one, intent).await
            }
        }
    });
    let outcomes: Vec<(Outcome, Option<TenantView>)> = outcomes.buffered(ABREAST).collect().await;
    let (mut outcomes, views): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
    let views: Vec<TenantView> = views.into_iter().flatten().collect();
    let ended = if arguments.waiting.no_wait || views.is_empty() {
        Ok(views)
    } else {
        let followed: Vec<Followed> = views.iter().map(Followed::wish).collect();
        follow(context, &api, &followed, arguments.waiting.timeout).await
    };
    for view in ended.iter().flatten().filter(|_| !arguments.waiting.no_wait) {
        for outcome in outcomes.iter_mut().filter(|one| one.tenant.as_ref() == Some(&view.name)) {
            outcome.phase = Some(view.phase);
            outcome.why = view.failed.as_ref().map(|failed| failed.remark.clone());
        }
    }
    context.terminal.print(match arguments.output {
        Format::Table => table(&outcomes),
        format => show::structured(format, &outcomes),
    });
    context.terminal.say(summary(&outcomes));
    let refused = outcomes.iter().any(|one| one.became == Became::Refused);
    let views = ended?;
    Ok(if refused {
        Exit::Failed
    } else if arguments.plan || arguments.waiting.no_wait {
        Exit::Ok
    } else {
        exit(&views)
    })
}

impl Rule {
    fn of(arguments: &Arguments, unit: &str) -> Result<Self, Trouble> {
        let known = |text: &str| text.starts_with("ou-") || text.starts_with("r-");
        if !known(unit) {
            return Err(Trouble::new(
                Exit::BadInput,
                format!(
                    "`{unit}` is no organizational unit: write its id, such as `ou-abcd-12345678`"
                ),
            ));
        }
        let tags = arguments.tags.iter().map(|text| {
            let (key, value) =
                text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
                    Trouble::new(Exit::BadInput, format!("`{text}` is no tag: write KEY=VALUE"))
                })?;
            Ok((key.to_owned(), value.to_owned()))
        });
        Ok(Self {
            unit: unit.to_owned(),
            tags: tags.collect::<Result<_, Trouble>>()?,
            project_tag: arguments.project_tag.clone(),
        })
    }

    fn asks_for_tags(&self) -> bool {
        !self.tags.is_empty() || self.project_tag.is_some()
    }

    /// Whether an account stands in the unit or beneath it, and can be anybody's.
    fn finds(&self, one: &Unmanaged, platform: &str) -> bool {
        one.platform == platform && one.state == ACTIVE && one.units.contains(&self.unit)
    }

    fn has_tags(&self, tags: &BTreeMap<String, String>) -> bool {
        self.tags.iter().all(|(key, value)| tags.get(key) == Some(value))
    }

    /// The project that an account is to be, or why it can't be one.
    fn project(&self, one: &Selected, longest: usize) -> Result<String, String> {
        let (text, from) = match &self.project_tag {
            None => (&one.name, "its name".to_owned()),
            Some(key) => match one.tags.get(key) {
                Some(value) => (value, format!("its tag {key}")),
                None => return Err(format!("has no tag {key} that names its project")),
            },
        };
        identifier(text, longest)
            .ok_or_else(|| format!("makes no project: {from}, `{text}`, has no letter or digit"))
    }
}

/// A text as an identifier: lower-case letters and digits, all else a single hyphen, and no longer than allowed.
fn identifier(text: &str, longest: usize) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let parts = lower.split(|one: char| !one.is_ascii_alphanumeric());
    let whole = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let cut = whole[..whole.len().min(longest)].trim_end_matches('-');
    (!cut.is_empty()).then(|| cut.to_owned())
}

/// The accounts that the rule selects, with their tags if it asks for them.
async fn selected(api: &Api, rule: &Rule, platform: &str) -> Result<Vec<Selected>, Trouble> {
    let found = api.unmanaged().await?.into_iter().filter(|one| rule.finds(one, platform));
    let tagged = futures::stream::iter(found).map(|Unmanaged { account, name, .. }| async move {
        let tags = if rule.asks_for_tags() {
            api.unmanaged_tags(platform, &account).await?
        } else {
            BTreeMap::new()
        };
        Ok::<_, Trouble>(Selected { account, name, tags })
    });
    let all: Vec<Selected> = tagged.buffered(ABREAST).try_collect().await?;
    Ok(all.into_iter().filter(|one| rule.has_tags(&one.tags)).collect())
}

/// What is to become of each account. Two that would be one project are neither's: a person says which is which.
fn intents(rule: &Rule, template: &Template, selected: &[Selected], longest: usize) -> Vec<Intent> {
    let projects: Vec<_> = selected.iter().map(|one| rule.project(one, longest)).collect();
    let twin = |index: usize, project: &String| {
        let mut others = projects.iter().enumerate().filter(|(other, _)| *other != index);
        others.find(|(_, other)| other.as_ref() == Ok(project)).map(|(other, _)| &selected[other])
    };
    let intent = |(index, project): (usize, &Result<String, String>)| -> Intent {
        let project = project.as_ref().map_err(Clone::clone)?;
        if let Some(twin) = twin(index, project) {
            return Err(format!(
                "would be project `{project}` as account {} would: adopt one of them by its id, or name another --project-tag",
                twin.account
            ));
        }
        template.tenant(project).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            problems.join(" ")
        })
    };
    projects.iter().enumerate().map(intent).collect()
}

fn refused(one: &Selected, tenant: Option<String>, why: String) -> (Outcome, Option<TenantView>) {
    let became = Became::Refused;
    let (account, name) = (one.account.clone(), one.name.clone());
    (Outcome { account, name, tenant, became, phase: None, why: Some(why), plan: None }, None)
}

async fn plan(api: &Api, one: &Selected, intent: Intent) -> (Outcome, Option<TenantView>) {
    let document = match intent {
        Ok(document) => document,
        Err(why) => return refused(one, None, why),
    };
    let name = document.metadata.name();
    let tenant = Some(name.to_string());
    let plan = match api.put_adoption_plan(&one.account, &document).await {
        Ok(plan) => planned(api, &name, plan).await,
        Err(trouble) => Err(trouble),
    };
    match plan {
        Err(trouble) => refused(one, tenant, trouble.reason()),
        Ok(plan) if plan.state == PlanState::Failed => {
            let failed = plan.failed.as_ref().map(|failed| failed.remark.clone());
            refused(one, tenant, failed.unwrap_or_else(|| "can't be planned".to_owned()))
        }
        Ok(plan) => {
            let (account, name) = (one.account.clone(), one.name.clone());
            let became = Became::Planned;
            let plan = Some(plan);
            (Outcome { account, name, tenant, became, phase: None, why: None, plan }, None)
        }
    }
}

async fn adopt(api: &Api, one: &Selected, intent: Intent) -> (Outcome, Option<TenantView>) {
    let document = match intent {
        Ok(document) => document,
        Err(why) => return refused(one, None, why),
    };
    let tenant = Some(document.metadata.name().to_string());
    match api.put_adoption(&one.account, &document).await {
        Err(trouble) => refused(one, tenant, trouble.reason()),
        Ok((_, view)) => {
            let (account, name) = (one.account.clone(), one.name.clone());
            let (became, phase) = (Became::Adopted, Some(view.phase));
            (Outcome { account, name, tenant, became, phase, why: None, plan: None }, Some(view))
        }
    }
}

fn table(outcomes: &[Outcome]) -> String {
    let rows: Vec<Vec<String>> = outcomes
        .iter()
        .map(|one| {
            let became = match (one.became, &one.plan, one.phase) {
                (Became::Refused, ..) => "refused".to_owned(),
                (Became::Planned, Some(plan), _) if plan.changes() == 1 => "1 change".to_owned(),
                (_, Some(plan), _) => format!("{} changes", plan.changes()),
                (_, _, Some(phase)) => format!("adopted, {}", phase.as_str()),
                _ => "adopted".to_owned(),
            };
            vec![
                one.account.to_string(),
                one.name.clone(),
                one.tenant.clone().unwrap_or_else(|| "-".to_owned()),
                became,
                one.why.clone().unwrap_or_default(),
            ]
        })
        .collect();
    show::table(&["ACCOUNT", "NAME", "TENANT", "", ""], &rows)
}

fn summary(outcomes: &[Outcome]) -> String {
    let count = |became| outcomes.iter().filter(|one| one.became == became).count();
    let (planned, adopted) = (count(Became::Planned), count(Became::Adopted));
    let refused = count(Became::Refused);
    match (planned, adopted, refused) {
        (0, 0, 0) => "the rule selects no account that is no tenant's".to_owned(),
        (0, adopted, refused) => format!("{adopted} adopted, {refused} refused"),
        (planned, _, refused) => {
            format!("{planned} would be adopted, {refused} refused; nothing was changed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(account: &str, name: &str, tags: &[(&str, &str)]) -> Selected {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let account = AccountId::try_from(account.to_owned()).expect("an account");
        Selected { account, name: name.to_owned(), tags: tags.collect() }
    }

    #[test]
    fn any_text_becomes_an_identifier_or_none() {
        for (text, expected) in [
            ("Old brownfield", Some("old-brownfield")),
            ("  ACME_Corp -- Prod (EU) ", Some("acme-corp-prod-eu")),
            ("shop", Some("shop")),
            ("Straße", Some("stra-e")),
            ("0123456789012345678901234567 90123", Some("0123456789012345678901234567-9")),
            ("01234567890123456789012345678 0123", Some("01234567890123456789012345678")),
            ("…", None),
            ("", None),
        ] {
            assert_eq!(identifier(text, 30).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_project_comes_from_the_name_or_from_a_tag_that_is_there() {
        let account = one("444455556666", "Old shop", &[("Project", "Shop 2")]);
        let by_name = Rule::default();
        assert_eq!(by_name.project(&account, 30).as_deref(), Ok("old-shop"));
        let by = |tag: &str| Rule { project_tag: Some(tag.to_owned()), ..Rule::default() };
        assert_eq!(by("Project").project(&account, 30).as_deref(), Ok("shop-2"));
        assert_eq!(
            by("project").project(&account, 30),
            Err("has no tag project that names its project".to_owned())
        );
        let nothing = one("444455556666", "日本", &[]);
        let why = by_name.project(&nothing, 30).expect_err("no project");
        assert_eq!(why, "makes no project: its name, `日本`, has no letter or digit");
    }

    #[test]
    fn a_rule_wants_all_of_its_tags() {
        let pairs = |tags: &[(&str, &str)]| one("444455556666", "", tags);
        let wanted = pairs(&[("stage", "prod"), ("team", "blue")]).tags.into_iter().collect();
        let rule = Rule { tags: wanted, ..Rule::default() };
        assert!(rule.has_tags(&pairs(&[("stage", "prod"), ("team", "blue"), ("x", "y")]).tags));
        assert!(!rule.has_tags(&pairs(&[("stage", "prod")]).tags));
        assert!(!rule.has_tags(&pairs(&[("stage", "prod"), ("team", "red")]).tags));
    }
}
