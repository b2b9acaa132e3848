//! Asks for the service quotas that the account should have.
//!
//! What it does: reads what applies in each Region and asks AWS for more where that is less than the landing zone
//! says. It never waits for the answer, which can take days. What AWS refused is not asked for again, it is said.
//! What it leaves on the record: each request; what is open with its case, since when.
//! Why repeating is safe: AWS has one open request for a quota, and the step finds it; what is high enough is left.
//! Whether it can be undone: a quota that is granted stays.

use std::fmt;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use quota::{Asked, Progress, Quotas, Request};
use session::Sessions;
use step::{Act, Awaited, Permission, Site, Step, Task};
use tenant::{Failure, FailureName};
use tokio::sync::Mutex;

/// Asks for the service quotas that the account should have.
#[derive(Debug)]
pub struct RaiseQuotas {
    sessions: Sessions,
    /// What this turn asked for, with the request unless there are too many already: an answer names ids and cases
    /// before a list does.
    asked: Mutex<Vec<(Wish, Option<Request>)>>,
}

/// A quota of one Region as the landing zone wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// The service's code.
    pub service: String,
    /// The quota's code.
    pub code: String,
    /// The Region.
    pub region: String,
    /// The least value.
    pub value: f64,
}

impl fmt::Display for Wish {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, code, region, value } = self;
        write!(formatter, "{service} {code} of {value} in {region}")
    }
}

/// A quota as AWS has it.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// What applies, and the last request for more where that is less than wished.
    Value {
        /// The value.
        value: f64,
        /// The last request.
        last: Option<Request>,
    },
    /// The Region does not know the account yet.
    NotReady,
}

/// What gets a quota raised.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Ask for more; before there is an account, nobody knows what it has.
    Ask {
        /// What is wished.
        wish: Wish,
        /// What applies.
        now: Option<f64>,
    },
    /// Regions do not know the account yet.
    AwaitReady(Vec<String>),
    /// What AWS or a person takes longer for.
    Await(Vec<Waiting>),
}

/// What one quota waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Waiting {
    /// AWS to decide, or to bring about what it decided.
    Answer(Wish, Option<Request>),
    /// Other requests to be answered first.
    Turn(Wish),
    /// An operator, since AWS refused.
    Operator(Wish, Request),
}

impl fmt::Display for Waiting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(wish, Some(request)) => {
                write!(formatter, "AWS to grant {wish} ({})", told(request))
            }
            Self::Answer(wish, None) => write!(formatter, "AWS to grant {wish}"),
            Self::Turn(wish) => {
                write!(formatter, "earlier requests, to ask for {wish} after them")
            }
            Self::Operator(wish, request) => write!(
                formatter,
                "an operator: AWS refused {wish} ({}); settle it with AWS Support, or write another value",
                told(request)
            ),
        }
    }
}

/// A request's case, or its id where there is no case.
fn told(request: &Request) -> String {
    let asked = request.since.strftime("%F %H:%M UTC");
    match &request.case {
        Some(case) => format!("case {case}, asked {asked}"),
        None => format!("request {}, asked {asked}", request.id),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask { wish, now: Some(now) } => {
                write!(formatter, "ask for {wish} instead of {now}")
            }
            Self::Ask { wish, now: None } => write!(formatter, "ask for {wish} if it is less"),
            Self::AwaitReady(regions) => {
                write!(formatter, "wait until AWS has set the account up in {}", regions.join(", "))
            }
            Self::Await(what) => {
                write!(formatter, "go on without what takes longer: {}", listed(what))
            }
        }
    }
}

fn listed(what: &[Waiting]) -> String {
    what.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// How many quotas are read at once.
const AT_ONCE: usize = 8;
/// Seconds until Regions that did not know the account are asked again.
const READY: u32 = 30;
/// How many requests AWS has open in a Region at the most.
const OPEN_IN_REGION: usize = 2;
/// How many requests AWS has open in an account at the most.
const OPEN_IN_ACCOUNT: usize = 20;
/// The role that Service Quotas makes for itself with an account's first request.
const OWN_ROLE: &str =
    "arn:${Partition}:iam::${Account}:role/aws-service-role/servicequotas.amazonaws.com/*";

impl Step for RaiseQuotas {
    const NAME: &'static str = "raise-quotas";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Member, "servicequotas:GetAWSDefaultServiceQuota", "*"),
        Permission::look(Site::Member, "servicequotas:GetServiceQuota", "*"),
        Permission::look(
            Site::Member,
            "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
            "*",
        ),
        Permission::act(Site::Member, "servicequotas:RequestServiceQuotaIncrease", "*"),
        Permission::act(Site::Member, "iam:CreateServiceLinkedRole", OWN_ROLE).when((
            "StringEquals",
            "iam:AWSServiceName",
            "servicequotas.amazonaws.com",
        )),
    ];
    /// Each wish with its reading; none before there is an account.
    type Seen = Option<Vec<(Wish, Reading)>>;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Self::Seen, Failure> {
        let wishes = wishes(task);
        if task.account().is_none() || wishes.is_empty() {
            return Ok(None);
        }
        let session = self.sessions.look(Site::Member).await?;
        let readings: Vec<_> = wishes
            .into_iter()
            .map(|wish| {
                let quotas = Quotas::new(&session, &wish.region);
                async move {
                    let reading = read(&quotas, &wish).await?;
                    Ok((wish, reading))
                }
            })
            .collect();
        let readings: Vec<Result<_, Failure>> =
            stream::iter(readings).buffered(AT_ONCE).collect().await;
        readings.into_iter().collect::<Result<Vec<_>, Failure>>().map(Some)
    }

    fn plan(&self, task: &Task, seen: &Self::Seen) -> Vec<Change> {
        plan(task, seen.as_deref())
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        match change {
            Change::Ask { wish, .. } => {
                let session = self.sessions.act(Site::Member).await?;
                let quotas = Quotas::new(&session, &wish.region);
                let asked = quotas.ask(&wish.service, &wish.code, wish.value).await?;
                let mut known = self.asked.lock().await;
                match asked {
                    Asked::Taken(request) => known.push((wish, Some(request))),
                    Asked::Full => known.push((wish, None)),
                    Asked::Already => {}
                }
                Ok(Act::Done)
            }
            Change::AwaitReady(regions) => {
                let known = task.awaited.as_ref().filter(|awaited| awaited.kind == "quota-ready");
                let awaited = Awaited {
                    kind: "quota-ready".to_owned(),
                    id: task.account().map(ToString::to_string).unwrap_or_default(),
                    r#for: format!(
                        "AWS to finish setting the account up in {}",
                        regions.join(", ")
                    ),
                    since: known.map_or(task.now, |awaited| awaited.since),
                };
                Ok(Act::Pending { awaited, seconds: READY })
            }
            Change::Await(what) => {
                let asked = self.asked.lock().await;
                let what: Vec<Waiting> = what
                    .into_iter()
                    .map(|one| match one {
                        Waiting::Answer(wish, None) => {
                            match asked.iter().find(|(asked, _)| *asked == wish) {
                                Some((_, None)) => Waiting::Turn(wish),
                                Some((_, request)) => Waiting::Answer(wish, request.clone()),
                                None => Waiting::Answer(wish, None),
                            }
                        }
                        other => other,
                    })
                    .collect();
                let is_refused = what.iter().any(|one| matches!(one, Waiting::Operator(..)));
                let awaited = awaited(task, &what);
                Ok(if is_refused { Act::AskPerson { awaited } } else { Act::Later { awaited } })
            }
        }
    }
}

impl RaiseQuotas {
    /// The step for one turn.
    #[must_use]
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions, asked: Mutex::default() }
    }
}

/// The quotas of the landing zone, each by Region.
fn wishes(task: &Task) -> Vec<Wish> {
    let quotas = task.landing_zone.quotas.iter();
    quotas
        .flat_map(|quota| {
            quota.regions.iter().map(|region| Wish {
                service: quota.service.clone(),
                code: quota.code.clone(),
                region: region.clone(),
                value: quota.value,
            })
        })
        .collect()
}

async fn read(quotas: &Quotas, wish: &Wish) -> Result<Reading, Failure> {
    let value = match quotas.value(&wish.service, &wish.code).await {
        Ok(value) => value,
        Err(failure) if failure.name == FailureName::NotReady => return Ok(Reading::NotReady),
        Err(failure) => return Err(failure),
    };
    let last = if value < wish.value {
        quotas.last_request(&wish.service, &wish.code).await?
    } else {
        None
    };
    Ok(Reading::Value { value, last })
}

fn plan(task: &Task, seen: Option<&[(Wish, Reading)]>) -> Vec<Change> {
    let Some(seen) = seen else {
        return wishes(task).into_iter().map(|wish| Change::Ask { wish, now: None }).collect();
    };
    let is_open = |reading: &Reading| {
        matches!(
            reading,
            Reading::Value { last: Some(Request { progress: Progress::Open, .. }), .. }
        )
    };
    let mut open: Vec<&str> = seen
        .iter()
        .filter(|(_, reading)| is_open(reading))
        .map(|(wish, _)| wish.region.as_str())
        .collect();
    let (mut changes, mut waiting, mut unready) = (Vec::new(), Vec::new(), Vec::new());
    for (wish, reading) in seen {
        let Reading::Value { value, last } = reading else {
            if !unready.contains(&wish.region) {
                unready.push(wish.region.clone());
            }
            continue;
        };
        if *value >= wish.value {
            continue;
        }
        match last {
            Some(last) if last.progress == Progress::Open => {
                waiting.push(Waiting::Answer(wish.clone(), Some(last.clone())));
            }
            Some(last) if last.progress == Progress::Granted && last.value >= wish.value => {
                waiting.push(Waiting::Answer(wish.clone(), Some(last.clone())));
            }
            Some(last) if last.progress == Progress::Refused && is_same(last.value, wish.value) => {
                waiting.push(Waiting::Operator(wish.clone(), last.clone()));
            }
            _ => {
                let in_region = open.iter().filter(|region| **region == wish.region).count();
                if in_region >= OPEN_IN_REGION || open.len() >= OPEN_IN_ACCOUNT {
                    waiting.push(Waiting::Turn(wish.clone()));
                    continue;
                }
                open.push(&wish.region);
                changes.push(Change::Ask { wish: wish.clone(), now: Some(*value) });
                waiting.push(Waiting::Answer(wish.clone(), None));
            }
        }
    }
    if !unready.is_empty() {
        changes.push(Change::AwaitReady(unready));
    }
    if !waiting.is_empty() {
        changes.push(Change::Await(waiting));
    }
    changes
}

fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-6
}

/// What is awaited: since the oldest request, or since a turn first said so.
fn awaited(task: &Task, what: &[Waiting]) -> Awaited {
    const KIND: &str = "quota";
    let requests = what.iter().filter_map(|one| match one {
        Waiting::Answer(_, Some(request)) | Waiting::Operator(_, request) => Some(request.since),
        _ => None,
    });
    let said = task.awaited.as_ref().filter(|awaited| awaited.kind == KIND);
    let since = requests
        .filter(|since| *since > Timestamp::UNIX_EPOCH)
        .chain(said.map(|awaited| awaited.since))
        .min();
    Awaited {
        kind: KIND.to_owned(),
        id: task.account().map(ToString::to_string).unwrap_or_default(),
        r#for: listed(what),
        since: since.unwrap_or(task.now),
    }
}

#[cfg(test)]
mod tests;
