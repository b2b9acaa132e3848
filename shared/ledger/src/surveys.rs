//! Surveys: how far one has come, what those before it found.
//!
//! A platform has one survey at a time. Whoever works on it holds its row for some minutes; should the hand-over get
//! lost, the next one goes on from the last position, and looks at some accounts twice.

use std::collections::HashSet;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tenant::{AccountId, SurveySummary};
use uuid::Uuid;

use crate::{
    Error, Ledger, failed,
    item::{self, Key},
};

/// Days that a summary is kept.
const KEPT: i64 = 30;
/// Bytes of an account's id: twelve digits fit.
const WIDTH: usize = 5;

/// That somebody asked for a survey.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Wanted {
    /// The caller's ARN.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What a survey is looking at.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Leg {
    /// The accounts that events named, from then on.
    Named {
        /// The accounts.
        accounts: Vec<AccountId>,
        /// When AWS shows everywhere what it is.
        from: Timestamp,
    },
    /// Accounts, from where Organizations' token says.
    Accounts {
        /// The token; none at the beginning.
        token: Option<String>,
    },
    /// Stacks, but for those of these StackSets, which it has seen.
    Stacks {
        /// Names of StackSets.
        seen: Vec<String>,
    },
    /// What differed, a second time, from then on.
    SecondLook {
        /// When AWS shows everywhere what it is.
        from: Timestamp,
    },
}

/// What a survey looks at.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// The accounts that events named. It is no survey of the organization: nothing is kept of what it came to.
    Named,
    /// All accounts.
    Accounts,
    /// All accounts, and all stacks.
    AccountsAndStacks,
}

/// How far a survey has come.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// What it has found so far.
    pub summary: SurveySummary,
    /// What it is looking at.
    pub leg: Leg,
    /// Tenants of which something differed.
    pub suspects: Vec<Uuid>,
    /// What it looks at.
    pub scope: Scope,
}

/// A platform's surveys.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SurveyRow {
    /// Somebody asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Wanted>,
    /// The one under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Accounts that events named since the last look at such.
    #[serde(default, skip_serializing_if = "HashSet::is_empty")]
    pub named: HashSet<AccountId>,
    /// Until when somebody works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Timestamp>,
    /// When the last one began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// When the last one began that looked at stacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_stacks: Option<Timestamp>,
}

impl SurveyRow {
    /// When the next survey begins: at once if there was none, or somebody asks for one.
    #[must_use]
    pub fn next(&self, every_hours: u32, now: Timestamp) -> Timestamp {
        match (&self.wanted, self.last) {
            (None, Some(last)) => last + SignedDuration::from_hours(every_hours.into()),
            _ => now,
        }
    }
}

impl Ledger {
    /// A platform's surveys.
    pub async fn survey(&self, platform: &str) -> Result<SurveyRow, Error> {
        Ok(self.get(Key::survey(platform)).await?.unwrap_or_default())
    }

    /// Notes that somebody asks for a survey.
    pub async fn want_survey(&self, platform: &str, wanted: &Wanted) -> Result<(), Error> {
        let set = [("wanted", item::value(wanted)?)];
        self.update_survey(platform, &set, &[], None).await
    }

    /// Notes that an event named an account, so that it is looked at before the next survey.
    pub async fn name_account(&self, platform: &str, account: &AccountId) -> Result<(), Error> {
        self.change_named(platform, "ADD", std::slice::from_ref(account)).await
    }

    /// Takes a platform's survey for oneself; a conflict means that somebody works on it.
    pub async fn hold_survey(
        &self,
        platform: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let set = [("held", item::instant(until))];
        self.update_survey(platform, &set, &[], Some(now)).await
    }

    /// Notes where a survey begins; what was asked for, or named, is under way then.
    pub async fn begin_survey(&self, platform: &str, position: &Position) -> Result<(), Error> {
        let set = [("position", item::value(position)?)];
        match &position.leg {
            Leg::Named { accounts, .. } => {
                self.update_survey(platform, &set, &[], None).await?;
                self.change_named(platform, "DELETE", accounts).await
            }
            _ => self.update_survey(platform, &set, &["wanted", "named"], None).await,
        }
    }

    /// Notes how far a survey has come, and lets go of it.
    pub async fn leave_survey(&self, platform: &str, position: &Position) -> Result<(), Error> {
        let set = [("position", item::value(position)?)];
        self.update_survey(platform, &set, &["held"], None).await
    }

    /// Ends a survey: what it found, and when it began.
    pub async fn end_survey(
        &self,
        platform: &str,
        position: &Position,
        now: Timestamp,
    ) -> Result<(), Error> {
        if position.scope == Scope::Named {
            return self.update_survey(platform, &[], &["position", "held"], None).await;
        }
        let since = position.summary.since;
        let summary = SurveySummary { until: Some(now), ..position.summary.clone() };
        let key = Key::survey_summary(platform, since);
        self.overwrite(item::expiring(item::write(&key, &summary)?, now, KEPT)).await?;
        let mut set = vec![("last", item::instant(since))];
        if position.scope == Scope::AccountsAndStacks {
            set.push(("lastStacks", item::instant(since)));
        }
        self.update_survey(platform, &set, &["position", "held"], None).await
    }

    /// What surveys found, the latest first.
    pub async fn survey_summaries(
        &self,
        platform: &str,
        most: i32,
    ) -> Result<Vec<SurveySummary>, Error> {
        self.latest(&Key::survey(platform).pk, "SUMMARY#", most).await
    }

    /// Keeps which accounts a survey has seen, for whoever goes on with it.
    pub async fn keep_seen(
        &self,
        platform: &str,
        seen: &HashSet<AccountId>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut row = item::expiring(Key::survey_seen(platform).item(), now, 1);
        row.insert("accounts".to_owned(), AttributeValue::B(Blob::new(packed(seen))));
        self.overwrite(row).await
    }

    /// The accounts that a survey has seen.
    pub async fn seen(&self, platform: &str) -> Result<HashSet<AccountId>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(Key::survey_seen(platform).item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed("dynamodb:GetItem", &error))?;
        Ok(match answer.item.as_ref().and_then(|row| row.get("accounts")) {
            Some(AttributeValue::B(bytes)) => unpacked(bytes.as_ref()),
            _ => HashSet::new(),
        })
    }

    async fn change_named(
        &self,
        platform: &str,
        verb: &str,
        accounts: &[AccountId],
    ) -> Result<(), Error> {
        let accounts = accounts.iter().map(|account| account.as_str().to_owned()).collect();
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::survey(platform).item()))
            .update_expression(format!("{verb} #named :accounts"))
            .expression_attribute_names("#named", "named")
            .expression_attribute_values(":accounts", AttributeValue::Ss(accounts))
            .send()
            .await
            .map_err(|error| failed("dynamodb:UpdateItem", &error))?;
        Ok(())
    }

    async fn update_survey(
        &self,
        platform: &str,
        set: &[(&str, AttributeValue)],
        remove: &[&str],
        free: Option<Timestamp>,
    ) -> Result<(), Error> {
        let sets: Vec<String> = set.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let names: Vec<String> = remove.iter().map(|name| format!("#{name}")).collect();
        let clauses = [("SET", sets), ("REMOVE", names)].into_iter();
        let clauses: Vec<String> = clauses
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(verb, parts)| format!("{verb} {}", parts.join(", ")))
            .collect();
        let expression = clauses.join(" ");
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::survey(platform).item()))
            .update_expression(expression);
        for name in set.iter().map(|(name, _)| *name).chain(remove.iter().copied()) {
            update = update.expression_attribute_names(format!("#{name}"), name);
        }
        for (name, value) in set {
            update = update.expression_attribute_values(format!(":{name}"), value.clone());
        }
        if let Some(now) = free {
            update = update
                .condition_expression("attribute_not_exists(#held) OR #held < :now")
                .expression_attribute_values(":now", item::instant(now));
        }
        update.send().await.map_err(|error| failed("dynamodb:UpdateItem", &error))?;
        Ok(())
    }
}

/// Five bytes an account: fifty thousand of them are less than the 400 KB that a row has room for.
fn packed(accounts: &HashSet<AccountId>) -> Vec<u8> {
    let numbers = accounts.iter().filter_map(|account| account.as_str().parse::<u64>().ok());
    numbers.flat_map(|number| number.to_be_bytes().into_iter().skip(8 - WIDTH)).collect()
}

fn unpacked(bytes: &[u8]) -> HashSet<AccountId> {
    let number =
        |five: &[u8]| five.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let ids = bytes.chunks_exact(WIDTH).map(|five| format!("{:012}", number(five)));
    ids.filter_map(|id| AccountId::try_from(id).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_thousand_accounts_find_room_in_a_row_and_are_read_back() {
        let all: HashSet<AccountId> = (0..50_000_u64)
            .map(|number| format!("{:012}", (number * 19_999_999) % 1_000_000_000_000))
            .chain(["999999999999".to_owned(), "000000000000".to_owned()])
            .filter_map(|id| AccountId::try_from(id).ok())
            .collect();
        let bytes = packed(&all);
        assert!(bytes.len() < 400_000, "{}", bytes.len());
        assert_eq!(unpacked(&bytes), all);
    }

    #[test]
    fn the_next_survey_is_due_after_its_hours_or_at_once_if_somebody_asks() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a timestamp");
        let mut row = SurveyRow::default();
        assert_eq!(row.next(6, now), now);
        row.last = Some(now);
        assert_eq!(row.next(6, now), now + SignedDuration::from_hours(6));
        row.wanted = Some(Wanted { by: "ada".to_owned(), at: now });
        assert_eq!(row.next(6, now), now);
    }
}
