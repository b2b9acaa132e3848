//! What stands in a letter: a record of Lambda's, or an event that a rule could not deliver.

use std::collections::HashMap;

use serde_json::Value;
use tenant::Uuid;

/// What a letter says, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// Who could not deliver or handle it.
    pub from: Option<String>,
    /// The ARN of the function that it is for, maybe with a version.
    pub function: Option<String>,
    /// The event.
    pub event: Option<Value>,
    /// What went wrong.
    pub error: Option<String>,
    /// How often it was tried.
    pub attempts: Option<u64>,
}

/// Whom an event names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Named {
    /// The account.
    pub account: Option<String>,
    /// The tenant.
    pub tenant: Option<Uuid>,
    /// The request for an account.
    pub request: Option<String>,
}

impl Content {
    /// Reads a letter with its attributes. The attributes tell a rule's letter, the record a function's.
    #[must_use]
    pub fn read(text: &str, attributes: &HashMap<String, String>) -> Self {
        let document: Option<Value> = serde_json::from_str(text).ok();
        let said = |name: &str| attributes.get(name).filter(|value| !value.is_empty());
        if let (Some(rule), Some(target)) = (said("RULE_ARN"), said("TARGET_ARN")) {
            let parts = [said("ERROR_CODE"), said("ERROR_MESSAGE")];
            let retries = said("RETRY_ATTEMPTS").and_then(|retries| retries.parse::<u64>().ok());
            return Self {
                from: Some(format!("rule {}", last(rule))),
                function: Some(target.clone()),
                event: document.filter(Value::is_object),
                error: joined(parts.map(|part| part.map(String::as_str))),
                attempts: Some(retries.unwrap_or_default().saturating_add(1)),
            };
        }
        let record = document.unwrap_or_default();
        let context = &record["requestContext"];
        let Some(function) = context["functionArn"].as_str() else {
            // A function's own dead letter says what went wrong, and not whose it is.
            let error = said("ErrorMessage").cloned();
            return Self { error, ..Self::default() };
        };
        let answer = &record["responsePayload"];
        let condition = context["condition"].as_str();
        let parts = [answer["errorType"].as_str(), answer["errorMessage"].as_str()];
        let why = joined(parts);
        Self {
            from: Some(format!("function {}", last(unqualified(function)))),
            function: Some(function.to_owned()),
            event: record.get("requestPayload").filter(|event| event.is_object()).cloned(),
            error: match (condition, why) {
                (Some("RetriesExhausted") | None, Some(why)) => Some(why),
                (Some(condition), why) => joined([Some(condition), why.as_deref()]),
                (None, None) => None,
            },
            attempts: context["approximateInvokeCount"].as_u64(),
        }
    }

    /// The name of the function that it is for.
    #[must_use]
    pub fn function_name(&self) -> Option<&str> {
        self.function.as_deref().map(unqualified).map(last)
    }

    /// What kind of event it is, and from where.
    #[must_use]
    pub fn about(&self) -> Option<String> {
        let event = self.event.as_ref()?;
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let kind = text("/detail/eventName").or(text("/detail-type"))?;
        Some(match text("/source") {
            Some(source) => format!("{kind} of {source}"),
            None => kind.to_owned(),
        })
    }

    /// Whom the event names. Who did something and where it was recorded are not whom it is about.
    #[must_use]
    pub fn named(&self) -> Named {
        let Some(event) = &self.event else { return Named::default() };
        let detail = &event["detail"];
        let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str);
        let whose = match event["source"].as_str() {
            Some("aws.states") => {
                text("/name").and_then(|name| name.rsplit_once('-')).map(|(id, _)| id)
            }
            Some("landfall") => text("/id"),
            _ => None,
        };
        Named {
            account: account(detail),
            tenant: whose.and_then(|id| id.parse().ok()),
            request: text("/serviceEventDetails/createAccountStatus/id").map(ToOwned::to_owned),
        }
    }
}

/// The account that is named somewhere inside.
fn account(value: &Value) -> Option<String> {
    let fields = value.as_object()?;
    let named = |name: &str| fields.get(name).and_then(Value::as_str).map(last);
    let is_account = |id: &&str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    let here = ["accountId", "account", "targetIdentifier"].into_iter().filter_map(named);
    here.into_iter().find(is_account).map(ToOwned::to_owned).or_else(|| {
        let inner = fields.iter().filter(|(name, _)| *name != "userIdentity");
        inner.into_iter().find_map(|(_, inner)| account(inner))
    })
}

/// A function's ARN without its version or alias.
pub(crate) fn unqualified(arn: &str) -> &str {
    let end = arn.match_indices(':').nth(6).map_or(arn.len(), |(at, _)| at);
    &arn[..end]
}

/// The last part of an ARN.
fn last(arn: &str) -> &str {
    arn.rsplit([':', '/']).next().unwrap_or_default()
}

fn joined(parts: [Option<&str>; 2]) -> Option<String> {
    let said: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!said.is_empty()).then(|| said.join(": "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:landfall-hear-events";

    fn created() -> Value {
        json!({"source": "aws.organizations", "detail-type": "AWS Service Event via CloudTrail",
            "account": "111111111111", "detail": {
                "eventName": "CreateAccountResult", "recipientAccountId": "111111111111",
                "userIdentity": {"accountId": "111111111111"},
                "serviceEventDetails": {"createAccountStatus":
                    {"id": "car-1", "state": "SUCCEEDED", "accountId": "444455556666"}}}})
    }

    fn record() -> Value {
        json!({
            "version": "1.0", "timestamp": "2026-01-01T12:00:00.000Z",
            "requestContext": {
                "requestId": "r-1", "functionArn": format!("{FUNCTION}:$LATEST"),
                "condition": "RetriesExhausted", "approximateInvokeCount": 3
            },
            "requestPayload": created(),
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorType": "Blocked", "errorMessage": "a permission is missing"}
        })
    }

    fn read(record: &Value) -> Content {
        Content::read(&record.to_string(), &HashMap::new())
    }

    #[test]
    fn a_functions_record_says_what_failed_how_and_how_often() {
        let content = read(&record());
        assert_eq!(content.from.as_deref(), Some("function landfall-hear-events"));
        assert_eq!(content.function_name(), Some("landfall-hear-events"));
        assert_eq!(content.error.as_deref(), Some("Blocked: a permission is missing"));
        assert_eq!(content.attempts, Some(3));
        assert_eq!(content.about().as_deref(), Some("CreateAccountResult of aws.organizations"));
        assert_eq!(content.event, Some(created()));
    }

    #[test]
    fn an_event_that_was_never_handled_says_that_it_is_too_old() {
        let mut old = record();
        old["requestContext"]["condition"] = json!("EventAgeExceeded");
        assert_eq!(
            read(&old).error.as_deref(),
            Some("EventAgeExceeded: Blocked: a permission is missing")
        );
        old["responsePayload"].take();
        assert_eq!(read(&old).error.as_deref(), Some("EventAgeExceeded"));
    }

    #[test]
    fn a_rules_letter_is_the_event_and_its_attributes_say_the_rest() {
        let said = [
            ("RULE_ARN", "arn:aws:events:eu-central-1:123456789012:rule/landfall-Organizations"),
            ("TARGET_ARN", FUNCTION),
            ("ERROR_CODE", "NO_PERMISSIONS"),
            ("ERROR_MESSAGE", "not allowed"),
        ];
        let said = said.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let content = Content::read(&created().to_string(), &HashMap::from(said.clone()));
        assert_eq!(content.from.as_deref(), Some("rule landfall-Organizations"));
        assert_eq!(content.function.as_deref(), Some(FUNCTION));
        assert_eq!(content.error.as_deref(), Some("NO_PERMISSIONS: not allowed"));
        assert_eq!((content.attempts, content.event), (Some(1), Some(created())));
        let mut tried = HashMap::from(said);
        tried.insert("RETRY_ATTEMPTS".to_owned(), "185".to_owned());
        assert_eq!(Content::read("no JSON", &tried).attempts, Some(186));
        assert_eq!(Content::read("no JSON", &tried).event, None);
    }

    #[test]
    fn what_is_no_letter_of_these_names_nobody() {
        for text in ["", "hello", "[]", "7", "{}", r#"{"requestContext": []}"#] {
            assert_eq!(Content::read(text, &HashMap::new()), Content::default(), "{text}");
        }
        // Lambda's own dead letter, as releases before this one left it.
        let said = HashMap::from([("ErrorMessage".to_owned(), "it failed".to_owned())]);
        let content = Content::read(&created().to_string(), &said);
        assert_eq!(content.error.as_deref(), Some("it failed"));
        assert_eq!(content.function, None);
    }

    #[test]
    fn an_event_is_about_the_account_and_the_tenant_that_it_names() {
        let of = |event: Value| Content { event: Some(event), ..Content::default() }.named();
        let named = of(created());
        assert_eq!(named.account.as_deref(), Some("444455556666"));
        assert_eq!(named.request.as_deref(), Some("car-1"));
        let tenant = Uuid::from_u128(7);
        let run = json!({"source": "aws.states", "detail": {"name": format!("{tenant}-12")}});
        assert_eq!(of(run), Named { tenant: Some(tenant), ..Named::default() });
        let told =
            json!({"source": "landfall", "detail": {"id": tenant, "account": "444455556666"}});
        assert_eq!(of(told).tenant, Some(tenant));
        let target = "arn:aws:organizations::111122223333:account/o-1/444455556666";
        let baseline = json!({"source": "aws.controltower", "detail": {
            "userIdentity": {"accountId": "111122223333"}, "serviceEventDetails":
                {"enableBaselineStatus": {"enabledBaselineDetails": {"targetIdentifier": target}}}}});
        assert_eq!(of(baseline).account.as_deref(), Some("444455556666"));
        assert_eq!(of(json!({"source": "aws.events", "detail": {}})), Named::default());
    }
}
