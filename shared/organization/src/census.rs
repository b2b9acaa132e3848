//! All accounts of an organization, page by page, and single ones as closely.

use aws_sdk_organizations::{error::ProvideErrorMetadata, types};
use jiff::Timestamp;
use refusal::Refusal;
use tenant::{AccountId, Failure, Sighted};

use crate::{Organization, TABLE};

/// Accounts in one page; AWS gives no more.
const PAGE: i32 = 20;

/// An account of the organization as it is listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its id.
    pub id: AccountId,
    /// State, place, name and address.
    pub seen: Sighted,
    /// How it came into the organization: `CREATED` or `INVITED`.
    pub joined_method: String,
    /// When it came.
    pub joined: Option<Timestamp>,
}

/// A page of accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct Members {
    /// The accounts.
    pub members: Vec<Member>,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

impl Member {
    fn of(account: types::Account) -> Result<Self, Failure> {
        // `o-…/r-…/ou-…/<account>/`
        let path = account.paths().first().map_or("", String::as_str).trim_end_matches('/');
        let units: Vec<&str> = path.split('/').skip(1).collect();
        let units = units.iter().take(units.len().saturating_sub(1)).map(ToString::to_string);
        let seen = Sighted {
            state: state(&account),
            units: units.collect(),
            name: account.name.clone().unwrap_or_default(),
            email: account.email.clone().unwrap_or_default(),
        };
        let joined = account.joined_timestamp();
        Ok(Self {
            joined: joined.and_then(|at| Timestamp::from_nanosecond(at.as_nanos()).ok()),
            joined_method: account
                .joined_method()
                .map_or_else(String::new, |method| method.as_str().to_owned()),
            id: AccountId::try_from(account.id.unwrap_or_default()).map_err(Failure::defect)?,
            seen,
        })
    }
}

/// The account's state; where AWS still says the older status, that.
fn state(account: &types::Account) -> String {
    let state = account.state().map(|state| state.as_str().to_owned());
    let state = state.or_else(|| account.status().map(|status| status.as_str().to_owned()));
    state.unwrap_or_default()
}

impl Organization {
    /// One page of all accounts of the organization; none if the token is no longer good.
    pub async fn members(&self, token: Option<&str>) -> Result<Option<Members>, Failure> {
        let answer = self
            .client
            .list_accounts()
            .max_results(PAGE)
            .set_next_token(token.map(ToOwned::to_owned))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Some(Members {
                next: answer.next_token,
                members: answer
                    .accounts
                    .unwrap_or_default()
                    .into_iter()
                    .map(Member::of)
                    .collect::<Result<_, _>>()?,
            })),
            Err(error) if token.is_some() && error.code() == Some("InvalidInputException") => {
                Ok(None)
            }
            Err(error) => Err(Refusal::of("organizations:ListAccounts", &error).failure(TABLE)),
        }
    }

    /// One account as closely as all are listed, or none if it is not in the organization.
    pub async fn member(&self, id: &AccountId) -> Result<Option<Member>, Failure> {
        match self.client.describe_account().account_id(id.as_str()).send().await {
            Ok(answer) => answer.account.map(Member::of).transpose(),
            Err(error) if error.code() == Some("AccountNotFoundException") => Ok(None),
            Err(error) => Err(Refusal::of("organizations:DescribeAccount", &error).failure(TABLE)),
        }
    }
}
