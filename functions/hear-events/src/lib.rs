//! Wakes whoever waits for what an event names.
//!
//! What it does: reads which operation, request or execution an event is about, and wakes the step that waits for it.
//! An event is a hint and never believed: the step that is woken looks for itself. So a lost, late, doubled, early or
//! forged event costs one look. Where somebody else has moved, invited or removed an account, the next minute's survey
//! looks at it.
//! What it leaves on the record: every result of a request for an account, known or not; a hint on the step's row; the
//! accounts that somebody else has touched.
//! Why repeating is safe: a hint more is a look more.
//! Whether it can be undone: there is nothing to undo.

use entry::Means;
use ledger::CreationResult;
use serde::Deserialize;
use serde_json::{Value, json};
use tenant::{AccountId, Failure, Phase, Platform, Uuid};

/// An event of EventBridge, as far as any of ours is the same.
#[derive(Debug, Deserialize)]
struct Event {
    source: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    detail: Value,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq)]
enum Subject {
    /// A request for an account has ended.
    Creation { id: String, account: Option<String> },
    /// An account was closed.
    Closure { account: String },
    /// Control Tower enrolled an account, or changed how it governs it.
    Enrolment { account: String },
    /// An operation on a StackSet has ended.
    StackSet { operation: String },
    /// An execution has ended without success.
    Execution { name: String },
    /// A Region of an account can be used now.
    Region { account: String },
    /// Somebody moved an account, or it joined or left the organization of this management account.
    Touched { account: String, management: String },
    /// Nothing that anybody waits for.
    Other,
}

/// The role that Landfall changes the organization as; nobody else may take it.
const OUR_ROLE: &str = "LandfallVend";
/// Where an event names the target of a baseline.
const BASELINE: &str = "/enabledBaselineDetails/targetIdentifier";

/// Wakes whoever waits.
pub async fn handle(means: Means, event: Value) -> Result<Value, Failure> {
    let event: Event = serde_json::from_value(event)
        .map_err(|error| malformed("event", &error.to_string(), "is no event of EventBridge"))?;
    let subject = subject(&event)?;
    tracing::info!(source = event.source, subject = ?subject, "heard");
    match subject {
        Subject::Creation { id, account } => {
            let result = CreationResult { id: id.clone(), account, at: means.now() };
            means.ledger.keep(&result).await?;
            wake(&means, "create-account", &id).await
        }
        Subject::Closure { account } => closed(&means, &account).await,
        Subject::Enrolment { account } => wake(&means, "control-tower", &account).await,
        Subject::StackSet { operation } => wake(&means, "stack-set", &operation).await,
        Subject::Execution { name } => ask_after(&means, &name).await,
        Subject::Region { account } => look_again(&means, "region", &account).await,
        Subject::Touched { account, management } => touched(&means, account, &management).await,
        Subject::Other => Ok(json!({ "heard": "nothing that anybody waits for" })),
    }
}

fn subject(event: &Event) -> Result<Subject, Failure> {
    let detail = &event.detail;
    let text =
        |pointer: &str| detail.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
    let required = |pointer: &str| {
        text(pointer)
            .ok_or_else(|| malformed(&format!("detail{pointer}"), "(missing)", "must be a text"))
    };
    match event.source.as_str() {
        "aws.organizations" => match required("/eventName")?.as_str() {
            "CreateAccountResult" => Ok(Subject::Creation {
                id: required("/serviceEventDetails/createAccountStatus/id")?,
                account: text("/serviceEventDetails/createAccountStatus/accountId"),
            }),
            "CloseAccountResult" => Ok(Subject::Closure {
                account: required("/serviceEventDetails/closeAccountStatus/accountId")?,
            }),
            _ => Ok(touching(detail).map_or(Subject::Other, |account| Subject::Touched {
                account: account.to_owned(),
                management: event.account.clone(),
            })),
        },
        "aws.controltower" => Ok(enrolled(detail)
            .map_or(Subject::Other, |account| Subject::Enrolment { account: account.to_owned() })),
        "aws.cloudformation" => match text("/status-details/status").as_deref() {
            Some("SUCCEEDED" | "FAILED" | "STOPPED")
                if detail.get("stack-set-operation-id").is_some() =>
            {
                Ok(Subject::StackSet { operation: required("/stack-set-operation-id")? })
            }
            _ => Ok(Subject::Other),
        },
        "aws.account" => match text("/status").as_deref() {
            Some("ENABLED") => Ok(Subject::Region { account: required("/accountId")? }),
            _ => Ok(Subject::Other),
        },
        "aws.states" => match required("/status")?.as_str() {
            "FAILED" | "ABORTED" | "TIMED_OUT" => {
                Ok(Subject::Execution { name: required("/name")? })
            }
            _ => Ok(Subject::Other),
        },
        _ => Ok(Subject::Other),
    }
}

/// The account that an event of Control Tower is about: one of Account Factory's names it, one about a baseline names
/// its target, which may be a unit. A retry after a failed creation is an update.
fn enrolled(detail: &Value) -> Option<&str> {
    let (name, target) = match detail.get("eventName")?.as_str()? {
        "CreateManagedAccount" => ("createManagedAccountStatus", "/account/accountId"),
        "UpdateManagedAccount" => ("updateManagedAccountStatus", "/account/accountId"),
        "EnableBaseline" => ("enableBaselineStatus", BASELINE),
        "UpdateEnabledBaseline" => ("updateEnabledBaselineStatus", BASELINE),
        "ResetEnabledBaseline" => ("resetEnabledBaselineStatus", BASELINE),
        "DisableBaseline" => ("disableBaselineStatus", BASELINE),
        _ => return None,
    };
    let named = detail.pointer(&format!("/serviceEventDetails/{name}{target}"))?.as_str()?;
    let account = named.rsplit('/').next()?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then_some(account)
}

/// The account that somebody else has moved, invited or removed. What Landfall does itself its role proves, and an account
/// that was made is heard of by its request.
fn touching(detail: &Value) -> Option<&str> {
    let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str);
    match text("/eventName")? {
        "MoveAccount" | "RemoveAccountFromOrganization" => {
            let is_done = detail.get("errorCode").is_none_or(Value::is_null);
            let actor = text("/userIdentity/arn").unwrap_or_default();
            let is_ours = actor.split('/').nth(1) == Some(OUR_ROLE);
            if is_done && !is_ours { text("/requestParameters/accountId") } else { None }
        }
        "AccountJoinedOrganization" => {
            let was_made = text("/serviceEventDetails/joinedMethod")
                .is_some_and(|method| method.eq_ignore_ascii_case("created"));
            if was_made { None } else { text("/serviceEventDetails/accountId") }
        }
        "AccountDepartedOrganization" => text("/serviceEventDetails/accountId"),
        _ => None,
    }
}

fn malformed(field: &str, value: &str, rule: &str) -> Failure {
    Failure::rejected(format!(
        "{field}: `{value}` {rule}. Send events as AWS sends them; what is wished for is found without them."
    ))
}

async fn wake(means: &Means, kind: &str, id: &str) -> Result<Value, Failure> {
    Ok(match means.wake(kind, id).await? {
        Some(waiter) => json!({ "heard": kind, "woken": waiter.step }),
        None => json!({ "heard": "nobody waits for it" }),
    })
}

/// Lets whoever waits for the account's end look, or its tenant, if somebody else closed it.
async fn closed(means: &Means, account: &str) -> Result<Value, Failure> {
    let waiter = means.wake("close-account", account).await?;
    let owner = match waiter {
        Some(waiter) => Some(waiter.tenant),
        None => means.ledger.owner(account).await?,
    };
    let tenant = match owner {
        Some(owner) => means.ledger.tenant(owner).await?,
        None => None,
    };
    let Some(tenant) = tenant.filter(|tenant| tenant.running.is_none()) else {
        return Ok(json!({ "heard": "something that a run sees" }));
    };
    let now = means.now();
    let event = format!("account {account} was closed");
    means.ledger.change(tenant, |tenant| tenant.heard(&event, now)).await?;
    Ok(json!({ "heard": "the end of an account" }))
}

/// Has the account looked at, on each platform of its organization.
async fn touched(means: &Means, account: String, management: &str) -> Result<Value, Failure> {
    let Ok(account) = AccountId::try_from(account.clone()) else {
        return Err(malformed("account", &account, "is no account's id"));
    };
    let mut named = 0;
    for platform in means.ledger.configs::<Platform>().await? {
        if platform.spec.management_account.as_str() == management {
            means.ledger.name_account(&platform.name, &account).await?;
            named += 1;
        }
    }
    Ok(json!({ "heard": "what others do", "looksAt": named }))
}

/// Starts the tenant that a run left waiting for this; if one is under way, what it does next sees it.
async fn look_again(means: &Means, kind: &str, id: &str) -> Result<Value, Failure> {
    let Some(waiter) = means.ledger.waiter(kind, id).await? else {
        return Ok(json!({ "heard": "nobody waits for it" }));
    };
    match means.ledger.tenant(waiter.tenant).await? {
        Some(tenant) if tenant.running.is_none() && tenant.phase == Phase::Waiting => {
            means.start(&tenant).await?;
            Ok(json!({ "heard": kind, "started": waiter.step }))
        }
        _ => Ok(json!({ "heard": "something that the next run sees" })),
    }
}

/// Asks after the run that an event says has ended.
async fn ask_after(means: &Means, execution: &str) -> Result<Value, Failure> {
    let named = execution.rsplit_once('-').and_then(|(tenant, _)| tenant.parse::<Uuid>().ok());
    let Some(tenant) = named else { return Ok(json!({ "heard": "no run of a tenant" })) };
    match means.ledger.tenant(tenant).await? {
        Some(tenant) if tenant.is_running(execution) => {
            debug_assert_eq!(tenant.ticket().execution(), execution);
            means.start(&tenant).await?;
            Ok(json!({ "heard": "the end of a run" }))
        }
        _ => Ok(json!({ "heard": "an end that is known" })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(value: Value) -> Event {
        serde_json::from_value(value).expect("an event")
    }

    #[test]
    fn a_creation_result_names_its_request_and_account() {
        let event = event(json!({"source": "aws.organizations", "detail": {
            "eventName": "CreateAccountResult",
            "serviceEventDetails": {"createAccountStatus": {
                "id": "car-3fbd74c0", "state": "SUCCEEDED", "accountName": "****", "accountId": "444455556666"}}}}));
        let account = Some("444455556666".to_owned());
        assert_eq!(
            subject(&event),
            Ok(Subject::Creation { id: "car-3fbd74c0".to_owned(), account })
        );
    }

    #[test]
    fn an_event_without_its_subject_is_refused_with_the_field() {
        let event = event(
            json!({"source": "aws.organizations", "detail": {"eventName": "CreateAccountResult"}}),
        );
        let failure = subject(&event).expect_err("there is no id");
        assert!(
            failure.user_remark.starts_with("detail/serviceEventDetails/createAccountStatus/id"),
            "{failure}"
        );
    }

    #[test]
    fn control_tower_names_accounts_and_units() {
        let told = |name: &str, details: Value| {
            subject(&event(json!({"source": "aws.controltower",
                "detail": {"eventName": name, "serviceEventDetails": details}})))
        };
        let account = || Ok(Subject::Enrolment { account: "444455556666".to_owned() });
        let named = json!({"account": {"accountName": "LifeCycle1", "accountId": "444455556666"}});
        assert_eq!(
            told("CreateManagedAccount", json!({"createManagedAccountStatus": named})),
            account()
        );
        assert_eq!(
            told("UpdateManagedAccount", json!({"updateManagedAccountStatus": named})),
            account()
        );
        let target = |arn: &str| json!({"enabledBaselineDetails": {"targetIdentifier": arn}});
        let of_account = target("arn:aws:organizations::111122223333:account/o-1/444455556666");
        assert_eq!(told("EnableBaseline", json!({"enableBaselineStatus": of_account})), account());
        let of_unit = target("arn:aws:organizations::111122223333:ou/o-1/ou-ab12-11112222");
        assert_eq!(
            told("EnableBaseline", json!({"enableBaselineStatus": of_unit})),
            Ok(Subject::Other)
        );
        assert_eq!(told("SetupLandingZone", json!({})), Ok(Subject::Other));
    }

    #[test]
    fn a_region_is_heard_of_once_it_can_be_used() {
        let said = |status: &str| {
            subject(&event(json!({"source": "aws.account", "detail": {
                "accountId": "444455556666", "regionName": "ap-east-1", "status": status}})))
        };
        assert_eq!(said("ENABLED"), Ok(Subject::Region { account: "444455556666".to_owned() }));
        assert_eq!(said("ENABLING"), Ok(Subject::Other));
    }

    #[test]
    fn an_account_is_looked_at_that_somebody_else_has_touched() {
        let told = |detail: Value| {
            subject(&event(json!({"source": "aws.organizations", "account": "111122223333",
                "detail": detail})))
        };
        let moved = |role: &str, error: Value| {
            told(json!({"eventName": "MoveAccount", "errorCode": error,
                "userIdentity": {"arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/it")},
                "requestParameters": {"accountId": "444455556666"}}))
        };
        let touched = Ok(Subject::Touched {
            account: "444455556666".to_owned(),
            management: "111122223333".to_owned(),
        });
        assert_eq!(moved("Admin", Value::Null), touched);
        assert_eq!(moved("LandfallVend", Value::Null), Ok(Subject::Other), "it was Landfall");
        assert_eq!(moved("Admin", json!("AccessDenied")), Ok(Subject::Other), "it was refused");
        let joined = |method: &str| {
            told(json!({"eventName": "AccountJoinedOrganization",
                "serviceEventDetails": {"accountId": "444455556666", "joinedMethod": method}}))
        };
        assert_eq!(joined("Invited"), touched);
        assert_eq!(joined("Created"), Ok(Subject::Other), "its request is heard of");
        let left = json!({"eventName": "AccountDepartedOrganization",
            "serviceEventDetails": {"accountId": "444455556666"}});
        assert_eq!(told(left), touched);
    }

    #[test]
    fn operations_that_still_run_wake_nobody() {
        let event = event(json!({"source": "aws.cloudformation", "detail": {
            "stack-set-operation-id": "ce69", "status-details": {"status": "RUNNING"}}}));
        assert_eq!(subject(&event), Ok(Subject::Other));
    }
}
