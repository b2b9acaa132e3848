//! How a tenant begins with an account that was there before, or begins anew with the account that it had.

use jiff::Timestamp;

use super::{Names, Phase, Transition};
use crate::AccountId;

/// An account that was there before its tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct Adopted {
    /// The account.
    pub account: AccountId,
    /// Since when it has been in the organization.
    pub since: Option<Timestamp>,
    /// Its name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
}

impl Transition {
    /// A new tenant that gets this account instead of one that is made for it. The account keeps its name and address.
    #[must_use]
    pub fn adopting(mut self, adopted: Adopted) -> Self {
        let account = adopted.account.clone();
        self.entry.event = format!("account {account} adopted, {}", self.entry.event);
        self.with(adopted)
    }

    /// A tenant that the ledger has lost, with the account that says that it is its. One whose account is gone is no
    /// more: its name counts as used.
    #[must_use]
    pub fn restoring(mut self, found: Adopted, is_gone: bool) -> Self {
        let (now, account) = (self.entry.at, found.account.clone());
        let tenant = &mut self.tenant;
        // Executions are named for runs, and those before the loss may be remembered for ninety days. Nobody begins
        // a run a second, so that all before it have smaller numbers than this.
        tenant.run = u64::try_from(now.as_second()).unwrap_or_default();
        if is_gone {
            tenant.phase = Phase::Deleted;
            tenant.next_run = None;
            tenant.deleted_on = Some(now);
        }
        self.entry.run = tenant.run;
        self.entry.to = tenant.phase;
        self.entry.event = if is_gone {
            format!("restored as deleted: its account {account} is closed")
        } else {
            format!("restored with account {account}, {}", self.entry.event)
        };
        self.with(found)
    }

    fn with(mut self, adopted: Adopted) -> Self {
        let Adopted { account, since, name, email } = adopted;
        let tenant = &mut self.tenant;
        tenant.account = Some(account);
        tenant.account_since = since;
        tenant.names =
            Some(Names { email, account_name: name, alias: None, number: 0, project_number: 0 });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Name, Refused, Tenant, Versions};

    fn restored(is_gone: bool) -> Transition {
        let wish = serde_json::from_value(serde_json::json!({"landingZone": "production"}));
        let now = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        let found = Adopted {
            account: AccountId::try_from("444455556666".to_owned()).expect("an account id"),
            since: None,
            name: "a.b".to_owned(),
            email: "a.b@example.com".to_owned(),
        };
        let name = Name::new("a", "b", "aws");
        Tenant::requested(name, 2, wish.expect("a wish"), "ada", now).restoring(found, is_gone)
    }

    #[test]
    fn a_restored_tenant_keeps_its_id_and_its_runs_are_named_as_none_before() {
        let Transition { tenant, entry } = restored(false);
        assert_eq!(tenant.id, crate::tenant_id(&tenant.name, 2));
        assert_eq!((tenant.phase, tenant.next_run), (Phase::Requested, Some(entry.at)));
        let started = tenant.started(Versions::default(), entry.at).expect("nothing runs").tenant;
        assert!(started.run > 1_700_000_000, "{}", started.run);
    }

    #[test]
    fn a_tenant_whose_account_is_gone_is_no_more_and_never_runs() {
        let Transition { tenant, entry } = restored(true);
        assert_eq!((tenant.phase, entry.to), (Phase::Deleted, Phase::Deleted));
        assert_eq!((tenant.next_run, tenant.deleted_on), (None, Some(entry.at)));
        assert_eq!(tenant.started(Versions::default(), entry.at), Err(Refused::Deleted));
    }
}
