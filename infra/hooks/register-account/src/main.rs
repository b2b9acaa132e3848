//! An example of a hook: keeps a list of accounts in a table, as a foundation's own inventory would.
//!
//! Landfall calls it at the end of each replication with the facts about the account, all of them texts. It is written
//! anew each time, so that a repetition changes nothing. An account that nobody pays for is written too, and said
//! aloud: that error is the hook's own, so Landfall shows it as a warning and goes on.

use std::collections::BTreeMap;

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

type Facts = BTreeMap<String, String>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let table = std::env::var("TABLE")?;
    let client = Client::new(&aws_config::load_defaults(BehaviorVersion::latest()).await);
    let handle = |event: LambdaEvent<Facts>| register(&client, &table, event.payload);
    lambda_runtime::run(service_fn(handle)).await
}

async fn register(client: &Client, table: &str, facts: Facts) -> Result<Value, Diagnostic> {
    let account = facts.get("AccountId").cloned().unwrap_or_default();
    let pays = facts.get("CostCenter").is_some_and(|center| !center.is_empty());
    let item = facts.into_iter().map(|(name, value)| (name, AttributeValue::S(value))).collect();
    let written = client.put_item().table_name(table).set_item(Some(item)).send().await;
    written.map_err(|error| told("NotWritten", format!("account {account}: {error:?}")))?;
    if pays {
        Ok(json!({ "registered": account }))
    } else {
        Err(told("NoCostCenter", format!("account {account} has no tag costCenter")))
    }
}

fn told(name: &str, message: String) -> Diagnostic {
    Diagnostic { error_type: name.to_owned(), error_message: message }
}
