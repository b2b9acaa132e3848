//! An account's alias, which IAM keeps: one for each account, unique over all of AWS.

use aws_config::SdkConfig;
use aws_sdk_iam::{Client, error::ProvideErrorMetadata};
use refusal::Refusal;
use tenant::Failure;

use crate::TABLE;

/// An open conversation with the IAM of one account about its alias.
#[derive(Clone, Debug)]
pub struct Alias {
    client: Client,
}

/// What became of an alias that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// The account has it.
    Ours,
    /// Another AWS account has it.
    Theirs,
}

impl Alias {
    /// A conversation in this session.
    #[must_use]
    pub fn new(session: &SdkConfig) -> Self {
        Self { client: Client::new(session) }
    }

    /// The account's alias.
    pub async fn current(&self) -> Result<Option<String>, Failure> {
        let answer = self.client.list_account_aliases().send().await;
        let answer =
            answer.map_err(|error| Refusal::of("iam:ListAccountAliases", &error).failure(TABLE))?;
        Ok(answer.account_aliases.into_iter().next())
    }

    /// Gives the alias up, for anybody to take. That the account has it no more counts as done.
    pub async fn give_up(&self, alias: &str) -> Result<(), Failure> {
        match self.client.delete_account_alias().account_alias(alias).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(error.code(), Some("NoSuchEntity" | "NoSuchEntityException")) =>
            {
                Ok(())
            }
            Err(error) => Err(Refusal::of("iam:DeleteAccountAlias", &error).failure(TABLE)),
        }
    }

    /// Gives the account an alias in the place of the one that it has.
    pub async fn set(&self, alias: &str) -> Result<Taken, Failure> {
        match self.client.create_account_alias().account_alias(alias).send().await {
            Ok(_) => Ok(Taken::Ours),
            Err(error)
                if matches!(
                    error.code(),
                    Some("EntityAlreadyExists" | "EntityAlreadyExistsException")
                ) =>
            {
                // An answer that got lost may have been a yes.
                let ours = self.current().await?.as_deref() == Some(alias);
                Ok(if ours { Taken::Ours } else { Taken::Theirs })
            }
            Err(error) => Err(Refusal::of("iam:CreateAccountAlias", &error).failure(TABLE)),
        }
    }
}
