//! Letters that could not be delivered or handled, as operators see them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Problem;

/// A dead letter.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LetterView {
    /// Its id.
    pub id: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// Who could not deliver or handle it: a rule or a function; none for a letter of another kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The function that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// What kind of event it is, and from where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The account that the event names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The name of the tenant that the event is about, if that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What went wrong, as AWS or the function said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How often it was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
    /// Whether it can be sent to its function again; one that names no function of Landfall's can only be discarded.
    pub redrivable: bool,
    /// What stands in it; a long one is cut.
    pub text: String,
}

/// Dead letters.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LettersView {
    /// The letters, the oldest first.
    pub items: Vec<LetterView>,
    /// How many wait altogether, by AWS's own estimate.
    pub waiting: u64,
}

/// What became of letters that were to be sent again.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RedrivenView {
    /// Those whose functions took them.
    pub redriven: Vec<LetterView>,
    /// Those that still wait.
    pub left: Vec<LeftLetter>,
    /// Whether there may be letters that were not looked at.
    pub more: bool,
}

/// A letter that still waits.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftLetter {
    /// The letter.
    pub letter: LetterView,
    /// Why.
    pub reason: String,
}

/// Why a letter is thrown away.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct DiscardWish {
    /// Why, for the log.
    pub comment: String,
}

impl DiscardWish {
    /// Characters of a comment.
    pub const LONGEST: usize = 255;

    /// The wish, if it says why.
    pub fn checked(self) -> Result<Self, Problem> {
        let length = self.comment.trim().chars().count();
        let (value, rule) = match length {
            0 => ("(empty)".to_owned(), "says nothing".to_owned()),
            1..=Self::LONGEST => return Ok(self),
            _ => {
                let rule = format!("is longer than {} characters", Self::LONGEST);
                (format!("({length} characters)"), rule)
            }
        };
        let remedy = "Say in a sentence why nobody needs the letter.";
        Err(Problem::new("comment", value, rule, remedy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_discards_a_letter_says_why_in_few_words() {
        let wish = |comment: &str| DiscardWish { comment: comment.to_owned() }.checked();
        assert!(wish("The account is closed.").is_ok());
        assert!(wish(&"é".repeat(255)).is_ok());
        for wrong in ["", "  ", &"é".repeat(256)] {
            assert_eq!(wish(wrong).expect_err("refused").field, "comment");
        }
    }
}
