//! How a tenant begins with an account that was there before.

use jiff::Timestamp;

use super::{Names, Transition};
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
        let Adopted { account, since, name, email } = adopted;
        let tenant = &mut self.tenant;
        self.entry.event = format!("account {account} adopted, {}", self.entry.event);
        tenant.account = Some(account);
        tenant.account_since = since;
        tenant.names =
            Some(Names { email, account_name: name, alias: None, number: 0, project_number: 0 });
        self
    }
}
