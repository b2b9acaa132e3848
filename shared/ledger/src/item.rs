//! The one file that knows attribute names and keys.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use tenant::{Failure, Kind, Name, SCHEMA};
use uuid::Uuid;

use crate::{Error, Item};

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";
/// Seconds since the epoch after which DynamoDB forgets a row.
pub(crate) const EXPIRES: &str = "expires";
/// The sparse index of tenants by the time of their next run.
pub(crate) const DUE_INDEX: &str = "due";
pub(crate) const DUE: &str = "due";
/// The sparse index of history entries that are still to be told, the oldest first.
pub(crate) const UNTOLD_INDEX: &str = "untold";
pub(crate) const UNTOLD: &str = "untold";
pub(crate) const NOTICE: &str = "notice";
/// The index of all tenants by name.
pub(crate) const NAMES_INDEX: &str = "names";
pub(crate) const LISTED: &str = "listed";
pub(crate) const NAME: &str = "listedName";

/// The key of a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// A tenant's row.
    #[must_use]
    pub fn tenant(id: Uuid) -> Self {
        Self::new(format!("TENANT#{id}"), "TENANT")
    }

    /// A step's row; `part` tells several alike parts of one step apart.
    #[must_use]
    pub fn step(id: Uuid, step: &str, part: Option<&str>) -> Self {
        let part = part.map(|part| format!("#{part}")).unwrap_or_default();
        Self::new(format!("TENANT#{id}"), format!("STEP#{step}{part}"))
    }

    /// A group that was made for a tenant; names of groups are too long for keys.
    pub(crate) fn granted_group(id: Uuid, name: &str) -> Self {
        let name = Uuid::new_v5(&id, name.as_bytes());
        Self::new(format!("TENANT#{id}"), format!("ACCESS#GROUP#{name}"))
    }

    /// An assignment that was made for a tenant.
    pub(crate) fn granted_assignment(id: Uuid, group: &str, permission_set: &str) -> Self {
        let set = permission_set.rsplit('/').next().unwrap_or(permission_set);
        Self::new(format!("TENANT#{id}"), format!("ACCESS#ASSIGNMENT#{group}#{set}"))
    }

    pub(crate) fn history(id: Uuid, at: Timestamp, version: u64) -> Self {
        Self::new(format!("TENANT#{id}"), format!("HISTORY#{at:.3}#{version:012}"))
    }

    pub(crate) fn name(name: &Name) -> Self {
        Self::new(format!("NAME#{name}"), "NAME")
    }

    pub(crate) fn account(account: &str) -> Self {
        Self::new(format!("ACCOUNT#{account}"), "ACCOUNT")
    }

    pub(crate) fn email(address: &str) -> Self {
        Self::new(format!("EMAIL#{}", address.to_lowercase()), "EMAIL")
    }

    pub(crate) fn operation(kind: &str, id: &str) -> Self {
        Self::new(format!("OPERATION#{kind}#{id}"), "OPERATION")
    }

    pub(crate) fn creation_result(at: Timestamp, id: &str) -> Self {
        Self::new("EVENT#create-account", format!("EVENT#{at:.3}#{id}"))
    }

    pub(crate) fn answer(id: Uuid) -> Self {
        Self::new(format!("TENANT#{id}"), "ANSWER")
    }

    pub(crate) fn project(workspace: &str, project: &str) -> Self {
        Self::new(format!("PROJECT#{workspace}.{project}"), "PROJECT")
    }

    pub(crate) fn limit(name: &str) -> Self {
        Self::new(format!("LIMIT#{name}"), "LIMIT")
    }

    pub(crate) fn today(platform: &str, now: Timestamp) -> Self {
        Self::limit(&format!("daily-creations#{platform}#{}", tenant::day(now)))
    }

    pub(crate) fn breaker(platform: &str) -> Self {
        Self::limit(&format!("breaker#{platform}"))
    }

    pub(crate) fn breaker_history(platform: &str, at: Timestamp, version: u64) -> Self {
        Self { sk: format!("HISTORY#{at:.3}#{version:012}"), ..Self::breaker(platform) }
    }

    pub(crate) fn survey(platform: &str) -> Self {
        Self::new(format!("SURVEY#{platform}"), "SURVEY")
    }

    /// The accounts that a survey that is cut short has seen.
    pub(crate) fn survey_seen(platform: &str) -> Self {
        Self { sk: "SEEN".to_owned(), ..Self::survey(platform) }
    }

    pub(crate) fn survey_summary(platform: &str, since: Timestamp) -> Self {
        Self { sk: format!("SUMMARY#{since:.3}"), ..Self::survey(platform) }
    }

    /// An account that is no tenant's; all of them stand under one key, in the order of platforms and accounts.
    pub(crate) fn unmanaged(platform: &str, account: &str) -> Self {
        Self::new("UNMANAGED", format!("ACCOUNT#{platform}#{account}"))
    }

    /// A roll-out; the last one of each landing zone and platform, all under one key.
    pub(crate) fn roll_out(kind: Kind, name: &str) -> Self {
        Self::new("ROLLOUT", format!("ROLLOUT#{}#{name}", kind.as_str()))
    }

    pub(crate) fn roll_out_history(kind: Kind, name: &str, at: Timestamp, version: u64) -> Self {
        let pk = Self::roll_out(kind, name).sk;
        Self::new(pk, format!("HISTORY#{at:.3}#{version:012}"))
    }

    pub(crate) fn config(kind: Kind, name: &str) -> Self {
        Self::new(format!("CONFIG#{}", kind.as_str()), format!("CONFIG#{name}"))
    }

    /// What happened to a landing zone or platform; of all of them under one key, name after name. Two entries of one
    /// version would have one key, so that whoever did not see a deletion can't write over it.
    pub(crate) fn config_history(kind: Kind, name: &str, version: u64) -> Self {
        Self::new("HISTORY#CONFIG", format!("HISTORY#{}#{name}#{version:012}", kind.as_str()))
    }

    pub(crate) fn plan(id: Uuid) -> Self {
        Self::new(format!("PLAN#{id}"), "PLAN")
    }

    pub(crate) fn configuration_plan(id: Uuid) -> Self {
        Self::new(format!("PLAN#{id}"), "CONFIGURATION")
    }

    pub(crate) fn plan_step(id: Uuid, step: &str, part: Option<&str>) -> Self {
        Self { pk: format!("PLAN#{id}"), ..Self::step(id, step, part) }
    }

    /// The key as an item.
    #[must_use]
    pub fn item(&self) -> Item {
        [(PK, &self.pk), (SK, &self.sk)]
            .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.clone())))
            .into()
    }
}

/// A row with its key and the version of its schema.
pub(crate) fn write(key: &Key, row: &impl Serialize) -> Result<Item, Error> {
    let mut item: Item = serde_dynamo::to_item(row).map_err(|error| {
        Error::Failure(Failure::defect(format!("a row can't be written: {error}")))
    })?;
    item.extend(key.item());
    item.insert("schema".to_owned(), AttributeValue::N(SCHEMA.to_string()));
    Ok(item)
}

/// A part of a row.
pub(crate) fn value(part: &impl Serialize) -> Result<AttributeValue, Error> {
    serde_dynamo::to_attribute_value(part).map_err(|error| {
        Error::Failure(Failure::defect(format!("a part of a row can't be written: {error}")))
    })
}

pub(crate) fn read<T: DeserializeOwned>(item: Item) -> Result<T, Error> {
    serde_dynamo::from_item(item)
        .map_err(|error| Error::Failure(Failure::defect(format!("a row can't be read: {error}"))))
}

/// A row that DynamoDB forgets some days after `now`.
pub(crate) fn expiring(mut item: Item, now: Timestamp, days: i64) -> Item {
    let at = now.as_second() + days * 86_400;
    item.insert(EXPIRES.to_owned(), AttributeValue::N(at.to_string()));
    item
}

/// An instant in a form that sorts as text.
pub(crate) fn instant(at: Timestamp) -> AttributeValue {
    AttributeValue::S(format!("{at:.3}"))
}
