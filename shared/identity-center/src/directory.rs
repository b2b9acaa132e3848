//! Users, groups and members in the identity store.

use aws_config::SdkConfig;
use aws_sdk_identitystore::{
    Client,
    error::SdkError,
    operation::{
        create_group::CreateGroupError, create_group_membership::CreateGroupMembershipError,
    },
    types::{AlternateIdentifier, MemberId, UniqueAttribute, error::ConflictException},
};
use aws_smithy_types::Document;
use refusal::{Refusal, Row};
use tenant::{Failure, FailureName, IdentityCenter, Platform};

use crate::at_home;

/// What the identity store answers, and who acts next.
const TABLE: &[Row] = &[
    (
        "ConflictException",
        "",
        FailureName::Throttled,
        "AWS Identity Center is at work on the same group; it is tried again.",
    ),
    (
        "ResourceNotFoundException",
        "",
        FailureName::Transient,
        "AWS Identity Center does not know the group or the user yet; it is tried again.",
    ),
    (
        "ServiceQuotaExceededException",
        "",
        FailureName::Blocked,
        "AWS Identity Center has no room for more groups or members. Ask Landfall's operators to make room.",
    ),
    (
        "ValidationException",
        "",
        FailureName::Blocked,
        "AWS Identity Center does not accept the name of a group or a user. Ask Landfall's operators to mend the platform's patterns.",
    ),
];

/// A group as it stands in the identity store.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// What is written about it.
    pub description: String,
}

/// A user in a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The membership's id.
    pub membership: String,
    /// The user's id.
    pub user: String,
}

/// What became of a group that was to be made.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// It is there, with this id.
    Group(String),
    /// There is a group of that name already.
    Taken,
}

/// An open conversation with the identity store.
#[derive(Clone, Debug)]
pub struct Directory {
    client: Client,
    store: String,
}

impl Directory {
    /// A conversation in this session of the management account.
    #[must_use]
    pub fn new(session: &SdkConfig, platform: &Platform, center: &IdentityCenter) -> Self {
        let client = Client::new(&at_home(session, platform, center));
        Self { client, store: center.identity_store_id.clone() }
    }

    /// The id of the group with this display name.
    pub async fn group_named(&self, name: &str) -> Result<Option<String>, Failure> {
        let answer = self
            .client
            .get_group_id()
            .identity_store_id(&self.store)
            .alternate_identifier(by("displayName", name)?)
            .send()
            .await;
        match answer {
            Ok(found) => Ok(Some(found.group_id)),
            Err(error) => absent(&Refusal::of("identitystore:GetGroupId", &error)),
        }
    }

    /// A group, if it is there.
    pub async fn group(&self, id: &str) -> Result<Option<Group>, Failure> {
        let answer =
            self.client.describe_group().identity_store_id(&self.store).group_id(id).send().await;
        match answer {
            Ok(found) => Ok(Some(Group {
                id: found.group_id,
                name: found.display_name.unwrap_or_default(),
                description: found.description.unwrap_or_default(),
            })),
            Err(error) => absent(&Refusal::of("identitystore:DescribeGroup", &error)),
        }
    }

    /// Makes a group.
    pub async fn make_group(&self, name: &str, description: &str) -> Result<Made, Failure> {
        let answer = self
            .client
            .create_group()
            .identity_store_id(&self.store)
            .display_name(name)
            .description(description)
            .send()
            .await;
        match answer {
            Ok(made) => Ok(Made::Group(made.group_id)),
            Err(SdkError::ServiceError(refused)) if matches!(refused.err(), CreateGroupError::ConflictException(conflict) if is_there(conflict)) => {
                Ok(Made::Taken)
            }
            Err(error) => Err(Refusal::of("identitystore:CreateGroup", &error).failure(TABLE)),
        }
    }

    /// Deletes a group; one that is gone already counts as deleted.
    pub async fn delete_group(&self, id: &str) -> Result<(), Failure> {
        let answer =
            self.client.delete_group().identity_store_id(&self.store).group_id(id).send().await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) => gone(&Refusal::of("identitystore:DeleteGroup", &error)),
        }
    }

    /// The id of the user with this `userName`, however it is capitalised.
    pub async fn user_named(&self, user_name: &str) -> Result<Option<String>, Failure> {
        if let Some(id) = self.user_named_exactly(user_name).await? {
            return Ok(Some(id));
        }
        let lower = user_name.to_lowercase();
        if lower == user_name { Ok(None) } else { self.user_named_exactly(&lower).await }
    }

    async fn user_named_exactly(&self, user_name: &str) -> Result<Option<String>, Failure> {
        let answer = self
            .client
            .get_user_id()
            .identity_store_id(&self.store)
            .alternate_identifier(by("userName", user_name)?)
            .send()
            .await;
        match answer {
            Ok(found) => Ok(Some(found.user_id)),
            Err(error) => absent(&Refusal::of("identitystore:GetUserId", &error)),
        }
    }

    /// The `userName` of a user, if the user is still there.
    pub async fn user_name(&self, id: &str) -> Result<Option<String>, Failure> {
        let answer =
            self.client.describe_user().identity_store_id(&self.store).user_id(id).send().await;
        match answer {
            Ok(found) => Ok(found.user_name),
            Err(error) => absent(&Refusal::of("identitystore:DescribeUser", &error)),
        }
    }

    /// Who is in a group, if it is there.
    pub async fn members(&self, group: &str) -> Result<Option<Vec<Member>>, Failure> {
        let mut pages = self
            .client
            .list_group_memberships()
            .identity_store_id(&self.store)
            .group_id(group)
            .into_paginator()
            .items()
            .send();
        let mut members = Vec::new();
        while let Some(found) = pages.next().await {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    return absent(&Refusal::of("identitystore:ListGroupMemberships", &error));
                }
            };
            if let Some(MemberId::UserId(user)) = found.member_id {
                members.push(Member { membership: found.membership_id, user });
            }
        }
        Ok(Some(members))
    }

    /// Takes a user into a group; one who is in it already counts as taken in.
    pub async fn add_member(&self, group: &str, user: &str) -> Result<(), Failure> {
        let answer = self
            .client
            .create_group_membership()
            .identity_store_id(&self.store)
            .group_id(group)
            .member_id(MemberId::UserId(user.to_owned()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(refused)) if matches!(refused.err(), CreateGroupMembershipError::ConflictException(conflict) if is_there(conflict)) => {
                Ok(())
            }
            Err(error) => {
                Err(Refusal::of("identitystore:CreateGroupMembership", &error).failure(TABLE))
            }
        }
    }

    /// Takes a user out of a group; one who is no longer in it counts as taken out.
    pub async fn remove_member(&self, membership: &str) -> Result<(), Failure> {
        let answer = self
            .client
            .delete_group_membership()
            .identity_store_id(&self.store)
            .membership_id(membership)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) => gone(&Refusal::of("identitystore:DeleteGroupMembership", &error)),
        }
    }
}

fn by(attribute: &str, value: &str) -> Result<AlternateIdentifier, Failure> {
    let unique = UniqueAttribute::builder()
        .attribute_path(attribute)
        .attribute_value(Document::String(value.to_owned()))
        .build()
        .map_err(|error| Failure::defect(error.to_string()))?;
    Ok(AlternateIdentifier::UniqueAttribute(unique))
}

/// Whether a conflict says that what was to be made is there already; else two writes met.
fn is_there(conflict: &ConflictException) -> bool {
    conflict.reason().is_some_and(|reason| reason.as_str() == "UNIQUENESS_CONSTRAINT_VIOLATION")
}

fn absent<T>(refusal: &Refusal) -> Result<Option<T>, Failure> {
    if refusal.is(&["ResourceNotFoundException"]) { Ok(None) } else { Err(refusal.failure(TABLE)) }
}

fn gone(refusal: &Refusal) -> Result<(), Failure> {
    if refusal.is(&["ResourceNotFoundException"]) { Ok(()) } else { Err(refusal.failure(TABLE)) }
}
