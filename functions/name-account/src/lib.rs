//! Names the account: its name, its alias, its e-mail address.
//!
//! What it does: gives the account the name and the alias that its platform's patterns made, and the e-mail address
//! that the tenant wishes for. AWS mails a code to a new address; the run ends without it, and the next one after an
//! answer hands it over.
//! What it leaves on the record: the alias from when AWS took it, the address from when AWS changed it.
//! Why repeating is safe: it looks first; an alias is made once and kept, and a code is asked for once unless a person
//! wants another.
//! Whether it can be undone: name and address by another wish; an alias that was given up may be somebody else's soon.

use std::fmt;

use account::Account;
use entry::Means;
use ledger::Answer;
use role::{Alias, Taken};
use session::Sessions;
use step::{Act, Permission, Site, Step, Task};
use tenant::{Failure, account_alias, suffixed_alias};

/// Names the account: its name, its alias, its e-mail address.
#[derive(Debug)]
pub struct NameAccount {
    /// The turn's sessions.
    pub sessions: Sessions,
    /// The ledger, where answers come in and names are kept.
    pub means: Means,
}

/// What the account is called.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// There is no account yet: it will be born with its name and address.
    NotYet,
    /// The account's names.
    Called {
        /// The account's name.
        name: String,
        /// The account's alias; not looked at where the platform names none.
        alias: Option<String>,
        /// The account's e-mail address, looked at while another one is wished for.
        email: Option<String>,
        /// What a person answered about the new address.
        answer: Option<Answer>,
    },
}

/// What gives the account its names.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Give the account its name.
    Rename {
        /// The name that it has.
        from: String,
        /// The name that it is to have.
        to: String,
    },
    /// Give the account its alias.
    SetAlias(String),
    /// The account has its alias already: note it.
    KeepAlias(String),
    /// No alias can be made.
    Refuse(Failure),
    /// Give the account its new e-mail address.
    Readdress(readdressing::Change),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rename { from, to } => {
                write!(formatter, "name the account {to} instead of {from}")
            }
            Self::SetAlias(alias) => write!(formatter, "give the account the alias {alias}"),
            Self::KeepAlias(alias) => write!(formatter, "note the alias {alias}"),
            Self::Refuse(failure) => formatter.write_str(&failure.user_remark),
            Self::Readdress(change) => change.fmt(formatter),
        }
    }
}

const ACCOUNTS: &str = "arn:${Partition}:account::${Management}:account/o-*/*";

impl Step for NameAccount {
    const NAME: &'static str = "name-account";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Management, "account:GetAccountInformation", ACCOUNTS),
        Permission::look(Site::Management, "account:GetPrimaryEmail", ACCOUNTS),
        Permission::act(Site::Management, "account:PutAccountName", ACCOUNTS),
        Permission::act(Site::Management, "account:StartPrimaryEmailUpdate", ACCOUNTS),
        Permission::act(Site::Management, "account:AcceptPrimaryEmailUpdate", ACCOUNTS),
        Permission::look(Site::Member, "iam:ListAccountAliases", "*"),
        Permission::act(Site::Member, "iam:CreateAccountAlias", "*"),
    ];
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        let Some(id) = task.account() else { return Ok(Seen::NotYet) };
        let account = Account::new(&self.sessions.look(Site::Management).await?, id);
        let name = account.name().await?;
        let alias = match task.platform.account_alias_pattern {
            Some(_) => Alias::new(&self.sessions.look(Site::Member).await?).current().await?,
            None => None,
        };
        let (email, answer) = match task.tenant.new_email() {
            Some(_) => {
                (Some(account.email().await?), self.means.ledger.answer(task.tenant.id).await?)
            }
            None => (None, None),
        };
        Ok(Seen::Called { name, alias, email, answer })
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        plan(task, seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        match change {
            Change::Rename { to, .. } => self.account(task).await?.rename(&to).await?,
            Change::SetAlias(alias) => self.set_alias(task, alias).await?,
            Change::KeepAlias(alias) => self.record_alias(task, alias, None).await?,
            Change::Refuse(failure) => return Err(failure),
            Change::Readdress(change) => {
                let account = self.account(task).await?;
                if let Some(act) = readdressing::act(&self.means, &account, task, &change).await? {
                    return Ok(act);
                }
                self.record_email(task, change.email().to_owned()).await?;
            }
        }
        Ok(Act::Done)
    }
}

fn plan(task: &Task, seen: &Seen) -> Vec<Change> {
    let names = task.tenant.names.as_ref();
    let wished = account_alias(&task.tenant, &task.landing_zone, &task.platform);
    let Seen::Called { name, alias, email, answer } = seen else {
        return match wished {
            Ok(wished) => wished.map(Change::SetAlias).into_iter().collect(),
            Err(failure) => vec![Change::Refuse(failure)],
        };
    };
    let mut changes = Vec::new();
    if let Some(names) = names.filter(|names| names.account_name != *name) {
        changes.push(Change::Rename { from: name.clone(), to: names.account_name.clone() });
    }
    let noted = names.and_then(|names| names.alias.as_deref());
    match (wished, alias) {
        (Err(failure), _) => changes.push(Change::Refuse(failure)),
        (Ok(None), _) => {}
        (Ok(Some(wished)), Some(alias)) if wished == *alias => {
            if noted.is_none() {
                changes.push(Change::KeepAlias(wished));
            }
        }
        // People have its sign-in address, unless the platform says that they must not.
        (Ok(Some(_)), Some(_)) if !task.platform.enforce_account_alias => {}
        (Ok(Some(wished)), _) => changes.push(Change::SetAlias(wished)),
    }
    // Last: a person may take days.
    if let (Some(has), Some(new)) = (email, task.tenant.new_email()) {
        let next = readdressing::next(task, has, new.to_owned(), answer.as_ref());
        changes.push(Change::Readdress(next));
    }
    changes
}

impl NameAccount {
    async fn account(&self, task: &Task) -> Result<Account, Failure> {
        let id = task.account().ok_or_else(|| Failure::defect("there is no account to name"))?;
        Ok(Account::new(&self.sessions.act(Site::Management).await?, id))
    }

    async fn set_alias(&self, task: &Task, alias: String) -> Result<(), Failure> {
        let session = Alias::new(&self.sessions.act(Site::Member).await?);
        if session.set(&alias).await? == Taken::Ours {
            return self.record_alias(task, alias, None).await;
        }
        let other = suffixed_alias(&alias, task.tenant.id);
        if !task.platform.enforce_account_alias && session.set(&other).await? == Taken::Ours {
            return self.record_alias(task, other, Some(&alias)).await;
        }
        Err(Failure::blocked(
            format!(
                "The alias {alias} belongs to another AWS account. Ask Landfall's operators to change the platform's accountAliasPattern."
            ),
            format!("iam:CreateAccountAlias: {alias} is taken"),
        ))
    }

    /// Writes down the alias that the account has for ever; `instead` is the one that was to be had.
    async fn record_alias(
        &self,
        task: &Task,
        alias: String,
        instead: Option<&str>,
    ) -> Result<(), Failure> {
        let event = match instead {
            None => format!("the account's alias is {alias}"),
            Some(taken) => {
                format!("the account's alias is {alias}: {taken} belongs to another AWS account")
            }
        };
        self.means
            .change(&task.tenant, |tenant, now| tenant.aliased(alias.clone(), event.clone(), now))
            .await
    }

    async fn record_email(&self, task: &Task, email: String) -> Result<(), Failure> {
        self.means
            .change(&task.tenant, |tenant, now| tenant.readdressed(email.clone(), Self::NAME, now))
            .await
    }
}

#[cfg(test)]
mod tests;
