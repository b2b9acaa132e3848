//! Changes an account's e-mail address by the code that AWS mails to the new one.
//!
//! AWS mails a code and waits; a person answers with it, a run later. What was answered stands in the ledger until it is
//! taken. A code is asked for once, unless a person wants another.

use std::fmt;

use account::{Account, Code};
use entry::Means;
use ledger::{ANSWER, Answer};
use step::{Act, Awaited, Task};
use tenant::Failure;

/// The next change on the way to a new address.
#[derive(Clone, PartialEq)]
pub enum Change {
    /// Have AWS mail a code to the new address.
    MailCode(String),
    /// Somebody has to answer with the code.
    AwaitCode(String),
    /// Hand over the code.
    HandOver {
        /// The new address.
        email: String,
        /// The code.
        otp: String,
    },
    /// The account has the new address already: note it.
    Keep(String),
}

impl Change {
    /// The new address.
    #[must_use]
    pub fn email(&self) -> &str {
        match self {
            Self::MailCode(email)
            | Self::AwaitCode(email)
            | Self::HandOver { email, .. }
            | Self::Keep(email) => email,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MailCode(email) => write!(formatter, "have AWS mail a code to {email}"),
            Self::AwaitCode(email) => {
                write!(formatter, "wait for the code that AWS mailed to {email}")
            }
            Self::HandOver { email, .. } => {
                write!(formatter, "change the account's e-mail address to {email}")
            }
            Self::Keep(email) => write!(formatter, "note the e-mail address {email}"),
        }
    }
}

impl fmt::Debug for Change {
    /// A code is nobody's to read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The next change on the way to a new address.
#[must_use]
pub fn next(task: &Task, has: &str, new: String, answer: Option<&Answer>) -> Change {
    let mailed =
        task.awaited.as_ref().is_some_and(|awaited| awaited.kind == ANSWER && awaited.id == new);
    match answer {
        _ if has.eq_ignore_ascii_case(&new) => Change::Keep(new),
        None if mailed => Change::AwaitCode(new),
        Some(Answer { otp: Some(otp), .. }) if mailed => {
            Change::HandOver { email: new, otp: otp.clone() }
        }
        _ => Change::MailCode(new),
    }
}

/// Makes a change: what a person has to do then, or nothing once the account has the new address.
pub async fn act(
    means: &Means,
    account: &Account,
    task: &Task,
    change: &Change,
) -> Result<Option<Act>, Failure> {
    let (tenant, name) = (task.tenant.id, &task.tenant.name);
    let ask = |email: &str, r#for: String| {
        let known = task.awaited.as_ref().filter(|awaited| awaited.id == email);
        let since = known.map_or(task.now, |awaited| awaited.since);
        let awaited = Awaited { kind: ANSWER.to_owned(), id: email.to_owned(), r#for, since };
        Ok(Some(Act::AskPerson { awaited }))
    };
    let mailed = |email: &str| {
        format!("the code that AWS mailed to {email}: `landfall answer {name} --otp CODE`")
    };
    match change {
        Change::MailCode(email) => {
            means.ledger.forget_answer(tenant).await?;
            if account.mail_code(email).await? { Ok(None) } else { ask(email, mailed(email)) }
        }
        Change::AwaitCode(email) => match task.awaited.clone() {
            Some(awaited) => Ok(Some(Act::AskPerson { awaited })),
            None => ask(email, mailed(email)),
        },
        Change::HandOver { email, otp } => {
            let code = account.hand_over_code(email, otp).await?;
            means.ledger.forget_answer(tenant).await?;
            match code {
                Code::Accepted => Ok(None),
                Code::Refused => ask(
                    email,
                    format!(
                        "another code for {email}, since the one that was given is wrong or too old: `landfall answer {name} --otp CODE`, or `--resend`"
                    ),
                ),
            }
        }
        Change::Keep(_) => Ok(None),
    }
}
