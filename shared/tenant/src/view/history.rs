//! What happened to a tenant, and to everything.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Reader;
use crate::{ConfigurationEntry, Entry, Phase, Tenant};

/// One line of a tenant's history.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryView {
    /// When.
    pub at: Timestamp,
    /// The run that it belongs to.
    pub run: u64,
    /// Who caused it.
    pub author: String,
    /// What happened.
    pub event: String,
    /// The phase before; none for the first entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Phase>,
    /// The phase after.
    pub to: Phase,
    /// What only operators may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_remark: Option<String>,
}

impl EntryView {
    fn of(entry: Entry, reader: Reader) -> Self {
        Self {
            system_remark: reader.remark(&entry.system_remark),
            at: entry.at,
            run: entry.run,
            author: entry.author,
            event: entry.event,
            from: entry.from,
            to: entry.to,
        }
    }
}

/// A tenant's history, oldest first.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryView {
    /// The tenant's name.
    pub name: String,
    /// The tenant's id.
    pub id: Uuid,
    /// Its entries.
    pub entries: Vec<EntryView>,
}

impl HistoryView {
    /// A tenant's history as this reader may see it.
    #[must_use]
    pub fn of(tenant: &Tenant, entries: Vec<Entry>, reader: Reader) -> Self {
        let entries = entries.into_iter().map(|entry| EntryView::of(entry, reader)).collect();
        Self { name: tenant.name.to_string(), id: tenant.id, entries }
    }
}

/// One line of the history of everything, which tells by itself of what.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(untagged)]
pub enum HistoryLine {
    /// Of a tenant.
    Tenant(TenantLine),
    /// Of a landing zone or platform.
    Configuration(ConfigurationEntry),
}

/// One line of the history of all tenants.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantLine {
    /// The tenant's id.
    pub id: Uuid,
    /// The tenant's name.
    pub name: String,
    /// The version of the tenant that this led to: with the id it tells the line from all others.
    pub version: u64,
    /// What happened.
    #[serde(flatten)]
    pub entry: EntryView,
}

impl HistoryLine {
    /// A tenant's entry as this reader may see it.
    #[must_use]
    pub fn of(tenant: &Tenant, entry: Entry, reader: Reader) -> Self {
        Self::Tenant(TenantLine {
            id: tenant.id,
            name: tenant.name.to_string(),
            version: entry.version,
            entry: EntryView::of(entry, reader),
        })
    }
}

/// A part of the history of everything.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryPage {
    /// The lines: tenant after tenant, then landing zones and platforms by name; the oldest of each first.
    pub items: Vec<HistoryLine>,
    /// What to ask for to get the next part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The time of this answer, by Landfall's clock.
    pub as_of: Timestamp,
}
