//! Accounts of the organization that are no tenant's.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;
use tenant::{AccountId, Unmanaged};

use crate::{
    Error, Item, Ledger,
    item::{self, Key},
};

/// Rows that one read takes.
const ROOM: usize = 100;
/// Days after the last sighting after which DynamoDB forgets a row.
const KEPT: i64 = 3;

impl Ledger {
    /// Writes a sighting of an account that is no tenant's.
    pub async fn put_unmanaged(&self, account: &Unmanaged) -> Result<(), Error> {
        let key = Key::unmanaged(&account.platform, account.account.as_str());
        let row = item::write(&key, account)?;
        self.overwrite(item::expiring(row, account.last_seen, KEPT)).await
    }

    /// All accounts of a platform that were seen and were no tenant's then.
    pub async fn all_unmanaged(
        &self,
        platform: &str,
    ) -> Result<HashMap<AccountId, Unmanaged>, Error> {
        let key = Key::unmanaged(platform, "");
        let all: Vec<Unmanaged> = self.rows(&key.pk, &key.sk).await?;
        Ok(all.into_iter().map(|one| (one.account.clone(), one)).collect())
    }

    /// Accounts that are no tenant's, in the order of platforms and accounts, and where to go on from. What has become
    /// a tenant's since it was seen, or was not seen for days, is left out.
    pub async fn unmanaged(
        &self,
        after: Option<(&str, &str)>,
        most: i32,
        now: Timestamp,
    ) -> Result<(Vec<Unmanaged>, Option<String>), Error> {
        let from = after.map_or_else(
            || "ACCOUNT#".to_owned(),
            |(platform, account)| format!("{}#", Key::unmanaged(platform, account).sk),
        );
        let span = (from, "ACCOUNT$".to_owned());
        let partition = Key::unmanaged("", "").pk;
        let (mut all, more) = self.between::<Unmanaged>(partition, span, true, most).await?;
        let next =
            all.last().filter(|_| more).map(|last| format!("{}.{}", last.platform, last.account));
        let owned = self.owned(all.iter().map(|one| &one.account)).await?;
        all.retain(|one| !one.is_forgotten(now) && !owned.contains(&one.account));
        Ok((all, next))
    }

    /// Those of these accounts that are, or ever were, a tenant's.
    pub async fn owned(
        &self,
        accounts: impl IntoIterator<Item = &AccountId>,
    ) -> Result<HashSet<AccountId>, Error> {
        let keys = accounts.into_iter().map(|account| Key::account(account.as_str()));
        let rows = self.present(keys.collect()).await?;
        let ids =
            rows.into_keys().filter_map(|pk| pk.strip_prefix("ACCOUNT#").map(ToOwned::to_owned));
        Ok(ids.filter_map(|id| AccountId::try_from(id).ok()).collect())
    }

    /// Those of these addresses with which an account was asked for that may be on its way.
    pub async fn asked_for<'a>(
        &self,
        addresses: impl IntoIterator<Item = &'a str>,
    ) -> Result<HashSet<String>, Error> {
        let keys = addresses.into_iter().map(Key::email).collect();
        let rows = self.present(keys).await?;
        let asked = rows.into_iter().filter(|(_, row)| row.contains_key("asked"));
        Ok(asked.filter_map(|(pk, _)| pk.strip_prefix("EMAIL#").map(ToOwned::to_owned)).collect())
    }

    /// The rows that there are of these, by their partition keys.
    pub(crate) async fn present(&self, mut keys: Vec<Key>) -> Result<HashMap<String, Item>, Error> {
        #[derive(Deserialize)]
        struct Named {
            pk: String,
        }
        keys.sort_unstable_by(|one, other| one.pk.cmp(&other.pk));
        keys.dedup();
        let mut rows = HashMap::new();
        for some in keys.chunks(ROOM) {
            for row in self.some(some.iter().map(Key::item).collect()).await? {
                let Named { pk } = item::read(row.clone())?;
                rows.insert(pk, row);
            }
        }
        Ok(rows)
    }
}
