//! Talks to AWS's Account Management about an account's name, contacts and e-mail address.
//!
//! All of it is asked in the management account, for which the organization trusts Account Management. A member can't
//! be asked about its own e-mail address.

use aws_config::SdkConfig;
use aws_sdk_account::{
    Client, error::ProvideErrorMetadata, types::AlternateContactType,
    types::PrimaryEmailUpdateStatus,
};
use refusal::{Refusal, Row};
use tenant::{AccountId, AlternateContact, Concern, Failure, FailureName};

/// What Account Management answers, and who acts next.
const TABLE: &[Row] = &[
    (
        "ResourceNotFoundException",
        "",
        FailureName::Transient,
        "AWS does not know the account yet; it is tried again.",
    ),
    (
        "ConflictException",
        "",
        FailureName::Rejected,
        "The new e-mail address belongs to another AWS account already. Write another one as `email` in the wish.",
    ),
    (
        "ValidationException",
        "",
        FailureName::Rejected,
        "AWS does not accept a contact, name or e-mail address. Change it in the wish.",
    ),
    (
        "AccessDeniedException",
        "",
        FailureName::Blocked,
        "AWS does not let Landfall manage accounts' names and contacts. Ask Landfall's operators to enable trusted access for Account Management.",
    ),
];

/// An open conversation about one account.
#[derive(Clone, Debug)]
pub struct Account {
    client: Client,
    id: String,
}

/// What became of a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// The account has the new address.
    Accepted,
    /// It is wrong or has expired.
    Refused,
}

impl Account {
    /// A conversation in this session of the management account.
    #[must_use]
    pub fn new(session: &SdkConfig, account: &AccountId) -> Self {
        Self { client: Client::new(session), id: account.to_string() }
    }

    /// The account's name.
    pub async fn name(&self) -> Result<String, Failure> {
        let answer =
            self.client.get_account_information().account_id(&self.id).send().await.map_err(
                |error| Refusal::of("account:GetAccountInformation", &error).failure(TABLE),
            )?;
        answer
            .account_name
            .ok_or_else(|| Failure::transient("account:GetAccountInformation gave no name"))
    }

    /// Gives the account a name.
    pub async fn rename(&self, name: &str) -> Result<(), Failure> {
        let answer =
            self.client.put_account_name().account_id(&self.id).account_name(name).send().await;
        answer.map_err(|error| Refusal::of("account:PutAccountName", &error).failure(TABLE))?;
        Ok(())
    }

    /// Whom AWS asks about a concern, if there is somebody.
    pub async fn contact(&self, concern: Concern) -> Result<Option<AlternateContact>, Failure> {
        let answer = self
            .client
            .get_alternate_contact()
            .account_id(&self.id)
            .alternate_contact_type(kind(concern))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.alternate_contact.map(|contact| AlternateContact {
                email: contact.email_address.unwrap_or_default(),
                name: contact.name.unwrap_or_default(),
                title: contact.title.unwrap_or_default(),
                phone: contact.phone_number.unwrap_or_default(),
            })),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(Refusal::of("account:GetAlternateContact", &error).failure(TABLE)),
        }
    }

    /// Says whom AWS asks about a concern.
    pub async fn put_contact(
        &self,
        concern: Concern,
        contact: &AlternateContact,
    ) -> Result<(), Failure> {
        self.client
            .put_alternate_contact()
            .account_id(&self.id)
            .alternate_contact_type(kind(concern))
            .email_address(&contact.email)
            .name(&contact.name)
            .title(&contact.title)
            .phone_number(&contact.phone)
            .send()
            .await
            .map_err(|error| Refusal::of("account:PutAlternateContact", &error).failure(TABLE))?;
        Ok(())
    }

    /// AWS asks nobody in particular about a concern any more.
    pub async fn delete_contact(&self, concern: Concern) -> Result<(), Failure> {
        let answer = self
            .client
            .delete_alternate_contact()
            .account_id(&self.id)
            .alternate_contact_type(kind(concern))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(()),
            Err(error) => Err(Refusal::of("account:DeleteAlternateContact", &error).failure(TABLE)),
        }
    }

    /// The account's e-mail address.
    pub async fn email(&self) -> Result<String, Failure> {
        let answer = self.client.get_primary_email().account_id(&self.id).send().await;
        let answer = answer
            .map_err(|error| Refusal::of("account:GetPrimaryEmail", &error).failure(TABLE))?;
        answer
            .primary_email
            .ok_or_else(|| Failure::transient("account:GetPrimaryEmail gave no address"))
    }

    /// Has AWS mail a code to a new address. An earlier code counts no longer. True if AWS wants none.
    pub async fn mail_code(&self, email: &str) -> Result<bool, Failure> {
        let answer = self
            .client
            .start_primary_email_update()
            .account_id(&self.id)
            .primary_email(email)
            .send()
            .await
            .map_err(|error| {
                Refusal::of("account:StartPrimaryEmailUpdate", &error).failure(TABLE)
            })?;
        Ok(answer.status == Some(PrimaryEmailUpdateStatus::Accepted))
    }

    /// Hands over the code that AWS mailed to a new address.
    pub async fn hand_over_code(&self, email: &str, otp: &str) -> Result<Code, Failure> {
        let answer = self
            .client
            .accept_primary_email_update()
            .account_id(&self.id)
            .primary_email(email)
            .otp(otp)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Code::Accepted),
            // A code that is no more, or never was the one.
            Err(error)
                if matches!(
                    error.code(),
                    Some("ValidationException" | "ResourceNotFoundException")
                ) =>
            {
                Ok(Code::Refused)
            }
            Err(error) => {
                Err(Refusal::of("account:AcceptPrimaryEmailUpdate", &error).failure(TABLE))
            }
        }
    }
}

fn kind(concern: Concern) -> AlternateContactType {
    match concern {
        Concern::Billing => AlternateContactType::Billing,
        Concern::Operations => AlternateContactType::Operations,
        Concern::Security => AlternateContactType::Security,
    }
}
