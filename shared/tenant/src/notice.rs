//! What is told of a tenant: to programs, each change of its phase and of its drift; to people, what waits for one of
//! them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountId, Deviation, FailureName, Phase, StoppedRollOut, Tenant, Transition};

/// What a failed run failed on, as anybody may read it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToldFailure {
    /// The step that failed.
    pub step: String,
    /// Who acts next.
    pub name: FailureName,
    /// What is wrong, and the remedy.
    pub remark: String,
}

/// The detail of an event `Tenant Phase Changed` or `Tenant Drift Changed` of source `landfall`. Fields are only ever
/// added.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Happening {
    /// The tenant's id; with `version` it tells events apart.
    pub id: Uuid,
    /// The tenant's name, `<workspace>.<project>.<platform>`; another tenant may have it later.
    pub name: String,
    /// The workspace.
    pub workspace: String,
    /// The project.
    pub project: String,
    /// The platform.
    pub platform: String,
    /// The landing zone that was wished for.
    pub landing_zone: String,
    /// The account, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The phase before; none for a new tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Phase>,
    /// The phase after.
    pub to: Phase,
    /// The run that it belongs to; 0 before the first.
    pub run: u64,
    /// Grows with every write of the tenant: a greater one is later, the same one is the same event.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// What happened, in a sentence.
    pub event: String,
    /// What the run failed on, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<ToldFailure>,
    /// What is other than wished, as two looks at the organization have found; nothing where all is as wished.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Deviation>,
    /// What only a person can do before all is as wished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
}

impl Happening {
    /// Whether the phase is another one.
    #[must_use]
    pub fn changes_phase(&self) -> bool {
        self.from != Some(self.to)
    }
}

/// What only a person can do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Need {
    /// Repair what a run failed on.
    Repair,
    /// Approve a deletion, or decline it.
    Decision,
    /// Do what a run ended without.
    Errand,
    /// Look at what is other than wished, and no run brings back by itself.
    Look,
}

/// What is to be told of one transition.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The tenant and what happened to it.
    pub change: Happening,
    /// What a person has to do and was not told yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Need>,
    /// Whether something is other than wished that was not, or is as wished again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drifted: bool,
}

/// Whatever there is to tell.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Told {
    /// Of a tenant.
    Tenant(Box<Notice>),
    /// Of a roll-out that stopped by itself.
    RollOut(StoppedRollOut),
}

impl Told {
    /// What programs are told, if they are.
    #[must_use]
    pub fn change(&self) -> Option<&Happening> {
        match self {
            Self::Tenant(notice) => notice.is_for_programs().then_some(&notice.change),
            Self::RollOut(_) => None,
        }
    }

    /// What a person is told, if one is needed.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        match self {
            Self::Tenant(notice) => notice.message(),
            Self::RollOut(stopped) => Some(stopped.message()),
        }
    }
}

/// A message to a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// One line, of at most 100 characters of ASCII.
    pub subject: String,
    /// What is the matter and what to type.
    pub text: String,
}

impl Message {
    /// A message about something of this name.
    pub(crate) fn new(name: &str, about: &str, text: String) -> Self {
        Self { subject: subject(name, about), text }
    }
}

/// Why a person is needed; the same cause is told once.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Cause {
    Failure(String, FailureName),
    Decision(Timestamp),
    Errand(String),
}

fn cause(tenant: &Tenant) -> Option<Cause> {
    if tenant.phase == Phase::Deleted {
        return None;
    }
    let repair = tenant.failed.as_ref().filter(|failed| {
        let name = failed.failure.name;
        matches!(name, FailureName::Blocked | FailureName::Defect | FailureName::Rejected)
    });
    match (repair, &tenant.removal) {
        (Some(failed), _) => Some(Cause::Failure(failed.step.clone(), failed.failure.name)),
        (None, Some(removal)) if removal.approval.is_none() => Some(Cause::Decision(removal.at)),
        (None, _) => {
            let asks = tenant.waiting.as_ref().and_then(|waiting| waiting.asks.clone());
            asks.map(Cause::Errand)
        }
    }
}

/// What two looks have found other than wished.
fn drift(tenant: &Tenant) -> impl Iterator<Item = &Deviation> {
    tenant.drift.iter().filter(|deviation| deviation.confirmed)
}

impl Notice {
    /// What is to be told of a transition, if anything is. A cause that stood before it is told already.
    #[must_use]
    pub fn of(before: Option<&Tenant>, transition: &Transition) -> Option<Self> {
        let Transition { tenant, entry } = transition;
        let cause = cause(tenant).filter(|now| before.and_then(self::cause).as_ref() != Some(now));
        let known: Vec<&Deviation> =
            before.map(|before| drift(before).collect()).unwrap_or_default();
        let now: Vec<&Deviation> = drift(tenant).collect();
        let is_new = now.iter().any(|deviation| !known.contains(deviation));
        let run_follows = tenant.next_run.is_some_and(|next| next <= entry.at);
        let need = match cause {
            Some(Cause::Failure(..)) => Some(Need::Repair),
            Some(Cause::Decision(_)) => Some(Need::Decision),
            Some(Cause::Errand(_)) => Some(Need::Errand),
            None if is_new && !run_follows => Some(Need::Look),
            None => None,
        };
        let failed_now = need == Some(Need::Repair) || entry.to == Phase::Failed;
        let failure = tenant.failed.as_ref().filter(|_| failed_now).map(|failed| ToldFailure {
            step: failed.step.clone(),
            name: failed.failure.name,
            remark: failed.failure.user_remark.clone(),
        });
        let change = Happening {
            id: tenant.id,
            name: tenant.name.to_string(),
            workspace: tenant.name.workspace.clone(),
            project: tenant.name.project.clone(),
            platform: tenant.name.platform.clone(),
            landing_zone: tenant.wish.landing_zone.clone(),
            account: tenant.account.clone(),
            from: entry.from,
            to: entry.to,
            run: entry.run,
            version: entry.version,
            at: entry.at,
            event: entry.event.clone(),
            failure,
            drift: now.iter().copied().cloned().collect(),
            asks: tenant.waiting.as_ref().and_then(|waiting| waiting.asks.clone()),
        };
        let notice = Self { change, need, drifted: now != known };
        (notice.is_for_programs() || notice.need.is_some()).then_some(notice)
    }

    /// Whether programs are told: the phase is another one, or the drift is.
    #[must_use]
    pub fn is_for_programs(&self) -> bool {
        self.change.changes_phase() || self.drifted
    }

    /// What a person is told, if one is needed.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        let change = &self.change;
        let name = &change.name;
        let account = change.account.as_ref().map(|account| format!(" (account {account})"));
        let account = account.unwrap_or_default();
        let (about, text) = match (self.need?, &change.failure) {
            (Need::Repair, Some(failure)) => {
                let ToldFailure { step, name: failed, remark } = failure;
                let run_again = format!("\n\n    landfall replicate {name}");
                let (who, again) = if *failed == FailureName::Rejected {
                    let applies = "Whoever wished for it changes the wish, and applies it again.";
                    (applies, "\n\n    landfall apply -f <file>".to_owned())
                } else if *failed == FailureName::Blocked {
                    ("An operator removes what is in the way, then lets it run again:", run_again)
                } else {
                    (
                        "Whoever maintains Landfall finds the cause, then lets it run again:",
                        run_again,
                    )
                };
                let text = format!(
                    "{name}{account}: run {run} failed at {step}: {failed}.\n{remark}\n\n{who}{again}\n\nAll that is known of \
                     it:\n\n    landfall describe {name}\n\nWhat the name means is in docs/RUNBOOK.md, \"{failed}\". You are \
                     told once until this is over or has another cause.",
                    run = change.run,
                );
                (format!("{failed} at {step}"), text)
            }
            (Need::Repair, None) => return None,
            (Need::Errand, _) => {
                let text = format!(
                    "{name}{account}: run {run} ended without something that only a person can do.\n{asks}\n\nAll that is \
                     known of it:\n\n    landfall describe {name}\n\nYou are told once until that is done or another.",
                    run = change.run,
                    asks = change.asks.as_deref().unwrap_or_default(),
                );
                ("it waits for a person".to_owned(), text)
            }
            (Need::Look, _) => {
                let what: Vec<String> = change
                    .drift
                    .iter()
                    .map(|it| format!("{} is {} instead of {}", it.what(), it.actual, it.wished))
                    .collect();
                let text = format!(
                    "{name}{account} has drifted, and nothing is done about it by itself.\n{}\n\nWhat a run can bring back, \
                     this does:\n\n    landfall replicate {name}\n\nAll that is known of it:\n\n    landfall describe \
                     {name}\n\nWhat can have drifted is in docs/RUNBOOK.md, \"Drift\".",
                    what.join("\n"),
                );
                ("it has drifted".to_owned(), text)
            }
            (Need::Decision, _) => {
                let text = format!(
                    "{name}{account} is marked for deletion. Its people are shut out; its account goes once an approver \
                     agrees who is not whoever asked. To agree:\n\n    landfall approve {name}\n\nTo keep it:\n\n    \
                     landfall decline {name}\n\nWho asked, and when:\n\n    landfall history {name}"
                );
                ("its deletion awaits approval".to_owned(), text)
            }
        };
        Some(Message::new(name, &about, text))
    }
}

/// SNS takes 100 characters of ASCII at most.
fn subject(name: &str, about: &str) -> String {
    const MOST: usize = 100;
    let whole = format!("Landfall: {about}: {name}");
    whole.chars().filter(|c| c.is_ascii() && !c.is_ascii_control()).take(MOST - 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Difference, DriftField, DriftPolicy, DriftRules, Failure, Name, Noticed, SECOND_LOOK,
        TenantSpec, Versions, Waiting,
    };

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().expect("a timestamp")
    }

    fn requested() -> Transition {
        let wish: TenantSpec =
            serde_json::from_value(serde_json::json!({ "landingZone": "production" }))
                .expect("a wish");
        Tenant::requested(Name::new("a", "b", "aws"), 1, wish, "ada", now())
    }

    /// A run that fails, and what is told of its end.
    fn failing(before: &Tenant, step: &str, failure: Failure) -> (Tenant, Option<Notice>) {
        let running = before.started(Versions::default(), now()).expect("nothing runs").tenant;
        let execution = running.running.clone().expect("a run");
        let failed = running.failed(&execution, step, failure, 0.0, now()).expect("it ran");
        let notice = Notice::of(Some(&running), &failed);
        (failed.tenant, notice)
    }

    fn need(notice: Option<Notice>) -> Option<Need> {
        notice.and_then(|notice| notice.need)
    }

    #[test]
    fn each_change_of_phase_is_told_and_nothing_else() {
        let first = requested();
        let notice = Notice::of(None, &first).expect("a new tenant is told");
        assert_eq!((notice.change.from, notice.change.to), (None, Phase::Requested));
        assert_eq!(notice.need, None);
        let asked = first.tenant.asked("ada", now());
        assert_eq!(Notice::of(Some(&first.tenant), &asked), None);
        let started = first.tenant.started(Versions::default(), now()).expect("nothing runs");
        let notice = Notice::of(Some(&first.tenant), &started).expect("a run is told");
        assert_eq!(notice.change.version, 2);
        assert_eq!(notice.message(), None);
    }

    #[test]
    fn a_person_is_told_of_a_cause_once_until_it_is_over_or_another_one() {
        let blocked = || Failure::blocked("The unit is missing. Make it.", "secret");
        let (tenant, notice) = failing(&requested().tenant, "place-account", blocked());
        assert_eq!(need(notice), Some(Need::Repair));
        let (tenant, notice) = failing(&tenant, "place-account", blocked());
        let notice = notice.expect("the phase is told");
        assert_eq!(notice.need, None);
        assert_eq!(
            notice.change.failure.map(|failure| failure.step).as_deref(),
            Some("place-account")
        );
        let (tenant, notice) = failing(&tenant, "grant-access", blocked());
        assert_eq!(need(notice), Some(Need::Repair));
        let running = tenant.started(Versions::default(), now()).expect("nothing runs").tenant;
        let execution = running.running.clone().expect("a run");
        let well = running.completed(&execution, None, 0.0, now()).expect("it ran");
        assert_eq!(need(Notice::of(Some(&running), &well)), None);
        let (_, notice) = failing(&well.tenant, "grant-access", blocked());
        assert_eq!(need(notice), Some(Need::Repair));
    }

    #[test]
    fn what_passes_by_itself_is_told_to_nobody() {
        let (_, notice) = failing(&requested().tenant, "admit", Failure::transient("broken"));
        assert_eq!(need(notice), None);
    }

    #[test]
    fn what_only_operators_may_read_is_not_told() {
        let failure = Failure::blocked("The unit is missing. Make it.", "secret");
        let (_, notice) = failing(&requested().tenant, "place-account", failure);
        let notice = notice.expect("it is told");
        let told = serde_json::to_string(&notice).expect("JSON");
        assert!(!told.contains("secret"));
        let message = notice.message().expect("a person is needed");
        assert_eq!(message.subject, "Landfall: Blocked at place-account: a.b.aws");
        for part in ["The unit is missing. Make it.", "\n    landfall replicate a.b.aws\n"] {
            assert!(message.text.contains(part), "{}", message.text);
        }
    }

    #[test]
    fn an_approver_is_told_of_a_deletion_that_waits_and_of_no_other() {
        let tenant = requested().tenant;
        let marked = tenant.marked("ada", None, now()).expect("it stays");
        let notice = Notice::of(Some(&tenant), &marked).expect("it is told");
        let message = notice.message().expect("a person is needed");
        assert!(message.text.contains("landfall approve a.b.aws"));
        let started = marked.tenant.started(Versions::default(), now()).expect("nothing runs");
        assert_eq!(Notice::of(Some(&marked.tenant), &started), None);
        let free = tenant.marked("ada", Some("sandbox"), now()).expect("it stays");
        assert_eq!(need(Notice::of(Some(&tenant), &free)), None);
    }

    fn ready() -> Tenant {
        let tenant = requested().tenant;
        let account = "444455556666".to_owned().try_into().expect("an id");
        let running = tenant.started(Versions::default(), now()).expect("nothing runs").tenant;
        let running = Tenant { account: Some(account), ..running };
        let execution = running.running.clone().expect("a run");
        running.completed(&execution, None, 0.0, now()).expect("it ran").tenant
    }

    /// What is told of a second look that finds what the first one found.
    fn drifting(tenant: &Tenant, policy: DriftPolicy) -> (Tenant, Notice) {
        let difference = Difference {
            field: DriftField::OrganizationalUnit,
            subject: None,
            wished: "ou-a".to_owned(),
            actual: "ou-b".to_owned(),
        };
        let rules = DriftRules { default: policy, ..DriftRules::default() };
        let look = |tenant: &Tenant, at| {
            let found = std::slice::from_ref(&difference);
            tenant.looked_at(|_, _| true, found, &rules, Versions::default(), at)
        };
        let Some(Noticed::Noted(suspect)) = look(tenant, now()) else { panic!("it is seen once") };
        let Some(Noticed::Happened(drifted)) = look(&suspect, now() + SECOND_LOOK) else {
            panic!("it is seen twice")
        };
        let notice = Notice::of(Some(&suspect), &drifted).expect("drift is told");
        (drifted.tenant, notice)
    }

    #[test]
    fn drift_is_told_to_programs_and_to_people_where_nothing_is_done_about_it() {
        let (_, repaired) = drifting(&ready(), DriftPolicy::Repair);
        assert!(repaired.is_for_programs() && !repaired.change.changes_phase());
        assert_eq!(repaired.need, None);
        let (drifted, reported) = drifting(&ready(), DriftPolicy::Report);
        assert_eq!(reported.need, Some(Need::Look));
        let message = reported.message().expect("a person is needed");
        let what = "organizationalUnit is ou-b instead of ou-a";
        assert!(message.text.contains(what), "{}", message.text);
        assert_eq!(reported.change.drift.len(), 1);

        let rules = DriftRules { default: DriftPolicy::Report, ..DriftRules::default() };
        let look =
            drifted.looked_at(|_, _| true, &[], &rules, Versions::default(), now() + SECOND_LOOK);
        let Some(Noticed::Happened(over)) = look else { panic!("it is over") };
        let notice = Notice::of(Some(&drifted), &over).expect("that too is told");
        assert_eq!((notice.need, notice.drifted), (None, true));
        assert!(notice.change.drift.is_empty());
    }

    #[test]
    fn what_only_a_person_can_do_is_told_once() {
        let ended = |tenant: &Tenant, asks: Option<&str>| {
            let running = tenant.started(Versions::default(), now()).expect("nothing runs").tenant;
            let execution = running.running.clone().expect("a run");
            let waiting = Waiting {
                step: "raise-quotas".to_owned(),
                r#for: "AWS".to_owned(),
                since: now(),
                until: None,
                asks: asks.map(ToOwned::to_owned),
            };
            let ended = running.completed(&execution, Some(waiting), 0.0, now()).expect("it ran");
            let need = need(Notice::of(Some(&running), &ended));
            (ended.tenant, need)
        };
        let (tenant, told) = ended(&ready(), None);
        assert_eq!(told, None, "AWS does it by itself");
        let refused = Some("an operator: AWS refused 10");
        let (tenant, told) = ended(&tenant, refused);
        assert_eq!(told, Some(Need::Errand));
        let (tenant, told) = ended(&tenant, refused);
        assert_eq!(told, None, "it is known");
        let (_, told) = ended(&tenant, Some("an operator: AWS refused 20"));
        assert_eq!(told, Some(Need::Errand));
    }

    #[test]
    fn a_subject_is_what_sns_takes() {
        let subject = subject(&"é".repeat(20), &"x\n".repeat(90));
        assert!(subject.is_ascii() && subject.len() < 100 && !subject.contains('\n'));
    }
}
