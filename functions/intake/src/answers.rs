//! Answers to what a step waits for: the code that AWS mails to an account's new address.

use entry::Means;
use ledger::{ANSWER, Answer};
use serde::Deserialize;
use tenant::{Name, Problem};

use crate::tenants::{asked, found};
use crate::{Refusal, Request, Response};

/// Characters of a code, by AWS.
const CODE: usize = 6;

/// What a person answers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Body {
    /// The code.
    #[serde(default)]
    otp: Option<String>,
    /// Another code is to be mailed.
    #[serde(default)]
    resend: bool,
}

/// Keeps the answer for the step that waits for it, and asks for a run that takes it.
pub async fn post(
    means: &Means,
    request: &Request,
    name: &Name,
    author: &str,
) -> Result<Response, Refusal> {
    let body: Body = serde_json::from_value(request.json()?)
        .map_err(|error| Refusal::Unreadable(error.to_string()))?;
    let said = check(&body)?;
    let tenant = found(means, name).await?;
    let rows = means.ledger.steps(tenant.id).await?;
    if !rows.iter().filter_map(|row| row.awaited.as_ref()).any(|awaited| awaited.kind == ANSWER) {
        return Err(Refusal::Unasked);
    }
    let kept = Answer { otp: body.otp, at: means.now() };
    means.ledger.keep_answer(tenant.id, &kept).await?;
    asked(means, name, |before| before.answered(said, author, means.now())).await
}

/// What the history says of an answer, unless it is none. A code stands neither there nor in a problem.
fn check(body: &Body) -> Result<&'static str, Refusal> {
    let fits = |otp: &str| otp.len() == CODE && otp.bytes().all(|one| one.is_ascii_alphanumeric());
    match &body.otp {
        Some(otp) if fits(otp) && !body.resend => {
            Ok("the code for the new e-mail address was given")
        }
        None if body.resend => Ok("another code for the new e-mail address was asked for"),
        _ => Err(Refusal::Invalid(vec![Problem::new(
            "otp",
            if body.otp.is_some() { "(not shown)" } else { "(missing)" },
            "is no code that AWS mails: six letters or digits",
            "Write it as it stands in the mail, or `resend: true` alone to have another one mailed.",
        )])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_code_or_the_wish_for_another() {
        let body = |otp: Option<&str>, resend| Body { otp: otp.map(ToOwned::to_owned), resend };
        assert!(check(&body(Some("12ab56"), false)).is_ok());
        assert!(check(&body(None, true)).is_ok());
        for wrong in [body(None, false), body(Some("12345"), false), body(Some("123456"), true)] {
            let Err(Refusal::Invalid(problems)) = check(&wrong) else { panic!("{wrong:?}") };
            assert!(!format!("{problems:?}").contains("12345"), "a code is not repeated");
        }
    }
}
