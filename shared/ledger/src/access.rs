//! What Landfall made for a tenant in Identity Center. AWS knows who may enter an account; only this memory knows
//! whose doing it is. It is written before AWS is asked, so that nothing of ours is ever forgotten.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Error, Ledger,
    item::{self, Key},
};

/// A group that we made, or are about to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRow {
    /// Its display name.
    pub name: String,
    /// The role that it is for.
    pub role: String,
    /// Its id, once AWS has said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A permission set that a group is assigned in the tenant's account by our doing.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentRow {
    /// The group's id.
    pub group: String,
    /// The group's display name.
    pub name: String,
    /// The permission set's ARN.
    pub permission_set: String,
    /// What AWS said last, which is believed before any reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
    /// How AWS failed to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Attempts>,
}

/// What AWS said of an assignment when a request ended well.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// Whether it is there.
    pub there: bool,
    /// When AWS said so.
    pub at: Timestamp,
}

/// How often AWS failed in one run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempts {
    /// The run.
    pub run: u64,
    /// How often.
    pub times: u32,
    /// Why, the last time.
    pub reason: String,
    /// When, the last time.
    pub at: Timestamp,
}

/// All that we made for a tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Granted {
    /// The groups.
    pub groups: Vec<GroupRow>,
    /// The assignments.
    pub assignments: Vec<AssignmentRow>,
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Row {
    Group(GroupRow),
    Assignment(AssignmentRow),
}

impl Ledger {
    /// All that we made for a tenant.
    pub async fn granted(&self, id: Uuid) -> Result<Granted, Error> {
        let mut granted = Granted::default();
        for row in self.rows(&Key::tenant(id).pk, "ACCESS#").await? {
            match row {
                Row::Group(group) => granted.groups.push(group),
                Row::Assignment(assignment) => granted.assignments.push(assignment),
            }
        }
        Ok(granted)
    }

    /// Remembers a group.
    pub async fn note_group(&self, id: Uuid, group: GroupRow) -> Result<(), Error> {
        let key = Key::granted_group(id, &group.name);
        self.note(&key, &Row::Group(group)).await
    }

    /// Forgets a group that is gone.
    pub async fn forget_group(&self, id: Uuid, name: &str) -> Result<(), Error> {
        self.forget(Key::granted_group(id, name)).await
    }

    /// Remembers an assignment.
    pub async fn note_assignment(&self, id: Uuid, assignment: AssignmentRow) -> Result<(), Error> {
        let key = Key::granted_assignment(id, &assignment.group, &assignment.permission_set);
        self.note(&key, &Row::Assignment(assignment)).await
    }

    /// Forgets an assignment that is gone.
    pub async fn forget_assignment(
        &self,
        id: Uuid,
        group: &str,
        permission_set: &str,
    ) -> Result<(), Error> {
        self.forget(Key::granted_assignment(id, group, permission_set)).await
    }

    async fn note(&self, key: &Key, row: &Row) -> Result<(), Error> {
        self.overwrite(item::write(key, row)?).await
    }
}
