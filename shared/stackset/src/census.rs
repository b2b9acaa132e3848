//! All stacks of a StackSet, page by page.

use refusal::Refusal;
use step::{Permission, Site};
use tenant::Failure;

use crate::{
    StackSets, TABLE,
    stacks::{DELEGATED, SETS},
};

/// Stacks in one page; AWS gives no more.
const PAGE: i32 = 100;

/// What listing needs to be allowed.
pub const PERMISSIONS: [Permission; 4] = [
    Permission::look(Site::Automation, "cloudformation:ListStackInstances", SETS),
    Permission::look(Site::Automation, "cloudformation:ListStackInstances", DELEGATED),
    Permission::look(Site::Automation, "cloudformation:DescribeStackInstance", SETS),
    Permission::look(Site::Automation, "cloudformation:DescribeStackInstance", DELEGATED),
];

/// A page of stacks.
#[derive(Clone, Debug, PartialEq)]
pub struct Stacks {
    /// Account and Region of each.
    pub places: Vec<(String, String)>,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

impl StackSets {
    /// One page of all stacks of a StackSet.
    pub async fn list(&self, set: &str, token: Option<&str>) -> Result<Stacks, Failure> {
        let answer = self
            .client
            .list_stack_instances()
            .set_call_as(self.call_as.clone())
            .stack_set_name(set)
            .max_results(PAGE)
            .set_next_token(token.map(ToOwned::to_owned))
            .send()
            .await
            .map_err(|error| {
                Refusal::of("cloudformation:ListStackInstances", &error).failure(TABLE)
            })?;
        let found = answer.summaries.unwrap_or_default().into_iter();
        Ok(Stacks {
            places: found.filter_map(|one| Some((one.account?, one.region?))).collect(),
            next: answer.next_token,
        })
    }
}
