//! The account gets another e-mail address before it is closed, where its landing zone says so.
//!
//! AWS never takes the address of a closed account again. Nothing here keeps an account from being closed: neither
//! nobody's answer nor AWS's refusal.

use entry::Means;
use jiff::SignedDuration;
use ledger::Answer;
use session::Sessions;
use step::{Site, Task};
use tenant::{AccountId, Failure, FailureName, Removal, address_after_closing};

use crate::Change;

/// What is known of the account's e-mail address while another one is to come first.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// The account has this one.
    Has {
        /// The address.
        email: String,
        /// What a person answered about the new one.
        answer: Option<Answer>,
    },
    /// AWS does not let Landfall ask.
    Untold,
}

/// Why AWS does not let Landfall change it.
const NOT_ALLOWED: &str = "AWS does not let Landfall change it";

/// The account's address, if it is to have another one first and that has not ended.
pub(crate) async fn look(
    sessions: &Sessions,
    means: &Means,
    task: &Task,
    account: &AccountId,
) -> Result<Option<Address>, Failure> {
    let begun = task.tenant.removal.as_ref().and_then(|removal| removal.readdressing.as_ref());
    if task.landing_zone.address_after_closing.is_none() || begun.is_some_and(|known| known.ended) {
        return Ok(None);
    }
    let session = sessions.look(Site::Management).await?;
    match account::Account::new(&session, account).email().await {
        Ok(email) => {
            let answer = means.ledger.answer(task.tenant.id).await?;
            Ok(Some(Address::Has { email, answer }))
        }
        Err(failure) if failure.name == FailureName::Blocked => {
            tracing::warn!(failure = %failure, "the address stays the closed account's");
            Ok(Some(Address::Untold))
        }
        Err(failure) => Err(failure),
    }
}

/// What brings the account to its other address, or has it go on with the one that it has.
pub(crate) fn plan(task: &Task, address: &Address) -> Vec<Change> {
    let keep = |why: &str| vec![Change::KeepAddress(why.to_owned())];
    let Address::Has { email: has, answer } = address else { return keep(NOT_ALLOWED) };
    let next = |new: String| Change::Readdress(readdressing::next(task, has, new, answer.as_ref()));
    if let Some(Removal { readdressing: Some(begun), .. }) = &task.tenant.removal {
        let is_there = has.eq_ignore_ascii_case(&begun.email);
        if task.now >= begun.until && !is_there {
            return keep(&format!("nobody gave the code for {} in time", begun.email));
        }
        return vec![next(begun.email.clone())];
    }
    let days = task.landing_zone.address_after_closing.as_ref().map_or(0, |one| one.within_days);
    match address_after_closing(&task.tenant, &task.landing_zone) {
        Ok(Some(email)) => {
            let until = task.now + SignedDuration::from_hours(24 * i64::from(days));
            vec![Change::Aim { email: email.clone(), until }, next(email)]
        }
        Ok(None) => vec![],
        Err(failure) => keep(&failure.user_remark),
    }
}

/// Why Account Management's refusal has the account keep its address; none if the failure may pass, or is another's.
pub(crate) fn refused(email: &str, failure: &Failure) -> Option<String> {
    match failure.name {
        _ if !failure.system_remark.starts_with("account:") => None,
        FailureName::Rejected => Some(format!("AWS does not take {email}")),
        FailureName::Blocked => Some(NOT_ALLOWED.to_owned()),
        _ => None,
    }
}
