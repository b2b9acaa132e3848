//! Tenants, their names and their history.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use jiff::Timestamp;
use serde::Deserialize;
use tenant::{Entry, Holder, Name, Named, Notice, Phase, Tenant, Transition};
use uuid::Uuid;

use crate::{
    Error, Item, Ledger, failed,
    item::{self, DUE, DUE_INDEX, Key, LISTED, NAME, NAMES_INDEX},
    step_aside, untold,
};

/// How often a tenant that others write too is read and written anew.
const ATTEMPTS: u32 = 8;

/// Index entries of due tenants that are read at once.
const DUE_PAGE: i32 = 200;

/// What stands between a name and how often it has been used, where several tenants had it.
pub const AGAIN: char = '_';

/// Which tenants are listed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum List {
    /// Those that are.
    #[default]
    Living,
    /// Those that are no more.
    Deleted,
}

impl List {
    fn as_str(self) -> &'static str {
        match self {
            Self::Living => "tenant",
            Self::Deleted => "deleted",
        }
    }
}

impl Ledger {
    /// A tenant's row.
    pub async fn tenant(&self, id: Uuid) -> Result<Option<Tenant>, Error> {
        self.get(Key::tenant(id)).await
    }

    /// The tenant of this name, or the one that had it last: that one may be deleted, or have another name now.
    pub async fn named(&self, name: &Name) -> Result<Option<Named>, Error> {
        let holder: Option<Holder> = self.get(Key::name(name)).await?;
        let Some(holder) = holder else { return Ok(None) };
        let tenant = self.tenant(holder.tenant).await?;
        Ok(tenant.map(|tenant| Named { holder, tenant }))
    }

    /// A new tenant: its name, row and first history entry, all or none. A conflict means that the name is taken, or was
    /// used more often than the tenant says.
    pub async fn create(&self, transition: &Transition) -> Result<(), Error> {
        self.transact(self.creation(transition)?).await
    }

    /// What a new tenant begins with: its name, row and first history entry.
    pub(crate) fn creation(
        &self,
        transition: &Transition,
    ) -> Result<Vec<TransactWriteItem>, Error> {
        let tenant = &transition.tenant;
        let name = self.claim(tenant)?;
        Ok(vec![name, self.put_new(row(tenant)?), self.put_new(history(None, transition)?)])
    }

    /// A tenant's name becomes its own, if it has been used as often as the tenant says.
    fn claim(&self, tenant: &Tenant) -> Result<TransactWriteItem, Error> {
        let name = holding(tenant)?;
        Ok(match tenant.holder().follows() {
            None => self.put_new(name),
            Some(before) => {
                let put = self
                    .put(name)
                    .condition_expression("incarnation = :before")
                    .expression_attribute_values(":before", AttributeValue::N(before.to_string()));
                TransactWriteItem::builder().set_put(put.build().ok()).build()
            }
        })
    }

    /// A tenant comes to another name: that name, its row and its history entry, all or none. The name before stays as
    /// it is and is free by that, since the row it leads to says another. A conflict means that the name is taken, or
    /// that somebody else wrote the tenant.
    pub async fn rename(&self, before: &Tenant, transition: &Transition) -> Result<(), Error> {
        let mut items = self.transition(before, transition)?;
        items.push(self.claim(&transition.tenant)?);
        self.transact(items).await
    }

    /// A transition from `before`: the row and its history entry, unless somebody else was first.
    pub async fn write(&self, before: &Tenant, transition: &Transition) -> Result<(), Error> {
        self.transact(self.transition(before, transition)?).await
    }

    /// Transitions of several tenants, each from what it was before: all or none, and fifty at most, since each is two of
    /// a transaction's hundred writes. A conflict means that somebody else wrote one of them.
    pub async fn write_together(&self, changes: &[(Tenant, Transition)]) -> Result<(), Error> {
        let mut items = Vec::new();
        for (before, transition) in changes {
            items.extend(self.transition(before, transition)?);
        }
        self.transact(items).await
    }

    /// Writes what becomes of a tenant, however often others write it meanwhile: the tenant after that, or none if
    /// nothing is to become of it.
    pub async fn change(
        &self,
        mut before: Tenant,
        transition: impl Fn(&Tenant) -> Option<Transition>,
    ) -> Result<Option<Tenant>, Error> {
        for attempt in 0..ATTEMPTS {
            let Some(transition) = transition(&before) else { return Ok(None) };
            match self.write(&before, &transition).await {
                Ok(()) => return Ok(Some(transition.tenant)),
                Err(Error::Conflict) => step_aside(attempt).await,
                Err(error) => return Err(error),
            }
            let Some(present) = self.tenant(before.id).await? else { return Ok(None) };
            before = present;
        }
        Err(Error::Conflict)
    }

    pub(crate) fn transition(
        &self,
        before: &Tenant,
        transition: &Transition,
    ) -> Result<Vec<TransactWriteItem>, Error> {
        let put = self
            .put(row(&transition.tenant)?)
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(before.version.to_string()))
            .build()
            .map_err(|error| Error::Failure(tenant::Failure::defect(error.to_string())))?;
        let put = TransactWriteItem::builder().put(put).build();
        Ok(vec![put, self.put_new(history(Some(before), transition)?)])
    }

    /// A row that changed without anything having happened to the tenant.
    pub async fn touch(&self, before: &Tenant, after: &Tenant) -> Result<(), Error> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row(after)?))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(before.version.to_string()))
            .send()
            .await
            .map_err(|error| failed("dynamodb:PutItem", &error))?;
        Ok(())
    }

    /// Tenants of other than these platforms whose next run is due, the longest due first.
    pub async fn due(
        &self,
        now: Timestamp,
        most: usize,
        paused: &[String],
    ) -> Result<Vec<Uuid>, Error> {
        #[derive(Deserialize)]
        struct Due {
            id: Uuid,
            name: Name,
        }
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(DUE_INDEX)
            .key_condition_expression("#due = :due AND nextRun <= :now")
            .expression_attribute_names("#due", DUE)
            .expression_attribute_values(":due", AttributeValue::S(DUE.to_owned()))
            .expression_attribute_values(":now", item::instant(now))
            .into_paginator()
            .page_size(DUE_PAGE)
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let due: Due = item::read(item.map_err(|error| failed("dynamodb:Query", &error))?)?;
            if !paused.contains(&due.name.platform) {
                found.push(due.id);
            }
            if found.len() == most {
                break;
            }
        }
        Ok(found)
    }

    /// Tenants in the order of their names: within a workspace, or a project as in `payments.checkout`, or all; living
    /// ones or deleted ones; and where to go on from.
    pub async fn tenants(
        &self,
        list: List,
        within: Option<&str>,
        after: Option<&str>,
        most: i32,
    ) -> Result<(Vec<Tenant>, Option<String>), Error> {
        let prefix = within.map(|within| format!("{within}.")).unwrap_or_default();
        let from = after.map_or_else(|| prefix.clone(), |after| format!("{after}\u{1}"));
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(NAMES_INDEX)
            .key_condition_expression("#listed = :listed AND #name BETWEEN :from AND :to")
            .expression_attribute_names("#listed", LISTED)
            .expression_attribute_names("#name", NAME)
            .expression_attribute_values(":listed", AttributeValue::S(list.as_str().to_owned()))
            .expression_attribute_values(
                ":from",
                AttributeValue::S(if from.is_empty() { "-".to_owned() } else { from }),
            )
            .expression_attribute_values(":to", AttributeValue::S(format!("{prefix}~")))
            .limit(most)
            .send()
            .await
            .map_err(|error| failed("dynamodb:Query", &error))?;
        let more = answer.last_evaluated_key.is_some();
        let tenants: Vec<Tenant> = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(item::read)
            .collect::<Result<_, _>>()?;
        let next = tenants.last().filter(|_| more).map(listed_name);
        Ok((tenants, next))
    }

    /// A tenant's history, oldest first.
    pub async fn history(&self, id: Uuid) -> Result<Vec<Entry>, Error> {
        self.rows(&Key::tenant(id).pk, "HISTORY#").await
    }

    /// A tenant's history from an instant on and behind an entry, oldest first, and whether there is more of it.
    pub async fn history_part(
        &self,
        id: Uuid,
        since: Option<Timestamp>,
        after: Option<(Timestamp, u64)>,
        most: i32,
    ) -> Result<(Vec<Entry>, bool), Error> {
        let (from, to) = (beginning(id, since, after), "HISTORY$".to_owned());
        self.between(Key::tenant(id).pk, (from, to), true, most).await
    }

    pub(crate) async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<(), Error> {
        self.client
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await
            .map_err(|error| failed("dynamodb:TransactWriteItems", &error))?;
        Ok(())
    }

    pub(crate) fn put(&self, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }

    /// A row goes, if it is there.
    pub(crate) fn delete(&self, key: &Key) -> Result<TransactWriteItem, Error> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .build()
            .map_err(|error| Error::Failure(tenant::Failure::defect(error.to_string())))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    pub(crate) fn put_new(&self, item: Item) -> TransactWriteItem {
        let put = self.put(item).condition_expression("attribute_not_exists(pk)").build();
        TransactWriteItem::builder().set_put(put.ok()).build()
    }
}

pub(crate) fn row(tenant: &Tenant) -> Result<Item, Error> {
    let mut item = item::write(&Key::tenant(tenant.id), tenant)?;
    if let Some(next_run) = tenant.next_run {
        item.insert("nextRun".to_owned(), item::instant(next_run));
        item.insert(DUE.to_owned(), AttributeValue::S(DUE.to_owned()));
    }
    let list = if tenant.phase == Phase::Deleted { List::Deleted } else { List::Living };
    item.insert(LISTED.to_owned(), AttributeValue::S(list.as_str().to_owned()));
    item.insert(NAME.to_owned(), AttributeValue::S(listed_name(tenant)));
    Ok(item)
}

/// That a tenant holds its name.
pub(crate) fn holding(tenant: &Tenant) -> Result<Item, Error> {
    item::write(&Key::name(&tenant.name), &tenant.holder())
}

/// What a tenant is listed as: its name, which several deleted ones may have had.
#[must_use]
pub fn listed_name(tenant: &Tenant) -> String {
    match tenant.phase {
        Phase::Deleted => format!("{}{AGAIN}{:06}", tenant.name, tenant.incarnation),
        _ => tenant.name.to_string(),
    }
}

/// Where a part of a tenant's history begins among the sort keys.
pub(crate) fn beginning(
    id: Uuid,
    since: Option<Timestamp>,
    after: Option<(Timestamp, u64)>,
) -> String {
    let since = since.map(|since| format!("HISTORY#{since:.3}"));
    let after = after.map(|(at, version)| format!("{}#", Key::history(id, at, version).sk));
    since.into_iter().chain(after).max().unwrap_or_else(|| "HISTORY#".to_owned())
}

/// A history entry, with what is to be told of it.
pub(crate) fn history(before: Option<&Tenant>, transition: &Transition) -> Result<Item, Error> {
    let Transition { tenant, entry } = transition;
    let item = item::write(&Key::history(tenant.id, entry.at, entry.version), entry)?;
    untold::marked(item, Notice::of(before, transition))
}
