//! Whether resource policies let EventBridge deliver.

use serde_json::Value;

/// Whether a function's policy lets EventBridge invoke it for a rule.
pub fn may_invoke(policy: Option<&Value>, rule_arn: &str) -> bool {
    statements(policy).any(|statement| {
        statement["Effect"] == "Allow"
            && listed(&statement["Principal"]["Service"], "events.amazonaws.com")
            && listed(&statement["Action"], "lambda:InvokeFunction")
            && source(statement).is_none_or(|arn| arn == rule_arn)
    })
}

/// Whether a bus takes events of an account.
pub fn may_put(policy: Option<&Value>, account: &str) -> bool {
    let root = format!("arn:aws:iam::{account}:root");
    statements(policy).any(|statement| {
        let principal = &statement["Principal"];
        let aws = &principal["AWS"];
        statement["Effect"] == "Allow"
            && listed(&statement["Action"], "events:PutEvents")
            && (principal == "*" || [account, &root, "*"].iter().any(|name| listed(aws, name)))
    })
}

fn statements(policy: Option<&Value>) -> impl Iterator<Item = &Value> {
    let statements = policy.map(|policy| &policy["Statement"]);
    let several = statements.and_then(Value::as_array).into_iter().flatten();
    several.chain(statements.filter(|statement| statement.is_object()))
}

fn listed(value: &Value, name: &str) -> bool {
    value == name || value.as_array().is_some_and(|values| values.iter().any(|value| value == name))
}

fn source(statement: &Value) -> Option<&str> {
    let conditions = statement["Condition"].as_object()?;
    let of = |condition: &'_ Value| {
        let keys = condition.as_object()?;
        keys.iter().find(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn"))?;
        Some(())
    };
    let (_, condition) = conditions.iter().find(|(_, condition)| of(condition).is_some())?;
    condition.as_object()?.values().next()?.as_str()
}
