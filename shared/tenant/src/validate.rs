//! What a document may say. Limits are checked with the longest possible inputs, when configuration is applied, and
//! not first when an account fails.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tags::{LONGEST_KEY, LONGEST_VALUE, MOST_TAGS, OWN, fits};
use crate::{Contact, IdentifierLengths, Pattern, contact};

mod baseline;
mod landing_zone;
mod platform;
mod roll_out;
mod tenant;
#[cfg(test)]
mod tests;

pub use landing_zone::check_landing_zone;
pub use platform::check_platform;
pub use tenant::{
    check_destination, check_lengths, check_names, check_tenant, check_tenant_beside,
};

/// One thing that is wrong with a document.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Problem {
    /// Where: a path such as `spec.accountEmailPattern`.
    pub field: String,
    /// What stands there.
    pub value: String,
    /// What rule it breaks.
    pub rule: String,
    /// What to write instead.
    pub remedy: String,
}

impl Problem {
    /// A problem with all that a person needs to mend it.
    pub fn new(
        field: impl Into<String>,
        value: impl fmt::Display,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            value: value.to_string(),
            rule: rule.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: `{}` {}. {}", self.field, self.value, self.rule, self.remedy)
    }
}

/// The most characters of an account's e-mail address, by AWS.
const LONGEST_EMAIL: usize = 64;
/// The most characters of an account's name, by AWS.
const LONGEST_ACCOUNT_NAME: usize = 50;
/// The most characters of a role's path: session policies name it several times and are short of room.
const LONGEST_ROLE_PATH: usize = 64;
/// The most characters of a text that people read.
const LONGEST_TEXT: usize = 1_000;

pub(crate) fn identifier(field: &str, value: &str, longest: usize, problems: &mut Vec<Problem>) {
    shaped(field, value, problems);
    no_longer(field, value, longest, problems);
}

fn shaped(field: &str, value: &str, problems: &mut Vec<Problem>) {
    let shaped = !value.is_empty()
        && value.split('-').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
    if !shaped {
        problems.push(Problem::new(
            field,
            value,
            "is no identifier",
            "Write lower-case letters and digits, with single hyphens between them, such as `checkout-prod`.",
        ));
    }
}

fn no_longer(field: &str, value: &str, longest: usize, problems: &mut Vec<Problem>) {
    if value.len() > longest {
        problems.push(Problem::new(
            field,
            value,
            format!("has {} characters; {longest} are allowed", value.len()),
            "Shorten it: it becomes part of the account's name and e-mail address, which AWS limits.",
        ));
    }
}

fn pattern(
    field: &str,
    text: &str,
    longest: usize,
    identifiers: IdentifierLengths,
    problems: &mut Vec<Problem>,
) -> Option<Pattern> {
    match Pattern::parse(text) {
        Err(error) => {
            problems.push(Problem::new(
                field,
                text,
                format!("can't be read: {error}"),
                "Write placeholders as `#{name}` or `#{name:%.7s}`.",
            ));
            None
        }
        Ok(pattern) => {
            let most = pattern.longest(identifiers);
            if most > longest {
                problems.push(Problem::new(
                    field,
                    text,
                    format!("can grow to {most} characters; AWS allows {longest}"),
                    "Cut a placeholder, as in `#{projectIdentifier:%.12s}`, or shorten the text around it.",
                ));
            }
            Some(pattern)
        }
    }
}

/// What AWS takes in an account's name, when it makes the account and when it names it anew.
fn fits_account_name(one: char) -> bool {
    (' '..='~').contains(&one) && !"<>".contains(one)
}

/// A pattern whose names must differ between tenants.
fn tells_apart(field: &str, text: &str, pattern: &Pattern, problems: &mut Vec<Problem>, why: &str) {
    let unique = pattern.mentions("rand") || pattern.mentions("tenantPlatformNumber");
    let missing = ["workspaceIdentifier", "projectIdentifier"]
        .into_iter()
        .filter(|placeholder| !pattern.mentions(placeholder) && !unique);
    for placeholder in missing {
        problems.push(Problem::new(
            field,
            text,
            format!("gives several tenants the same {why}: it does not mention `{placeholder}`"),
            format!(
                "AWS wants an {why} of its own for each account, for ever: name both identifiers."
            ),
        ));
    }
}

fn email_shape(field: &str, text: &str, problems: &mut Vec<Problem>) {
    let forbidden =
        |character: char| character.is_whitespace() || "\"'()<>[]:;,\\|%&".contains(character);
    let (local, domain) = text.split_once('@').unwrap_or((text, ""));
    // Placeholders stand for identifiers, which are harmless.
    let bare = strip_placeholders(local);
    let well = !bare.contains(forbidden)
        && !local.is_empty()
        && !local.starts_with('.')
        && text.is_ascii()
        && !domain.contains('@')
        && domain.contains('.')
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if !well {
        problems.push(Problem::new(
            field,
            text,
            "does not make an e-mail address that AWS accepts",
            "Write one `@`, a domain with a dot, and ASCII letters, digits, `.`, `+`, `-` or `_` before the `@`.",
        ));
    }
}

fn strip_placeholders(text: &str) -> String {
    let mut bare = String::new();
    let mut rest = text;
    while let Some((before, inner)) = rest.split_once("#{") {
        bare.push_str(before);
        rest = inner.split_once('}').map_or("", |(_, after)| after);
    }
    bare + rest
}

fn tags<'a>(
    field: &str,
    tags: impl Iterator<Item = (&'a String, &'a String)>,
    prefix: usize,
    problems: &mut Vec<Problem>,
) {
    for (key, value) in tags {
        let at = format!("{field}.{key}");
        tag_key(&at, key, prefix, problems);
        if value.chars().count() > LONGEST_VALUE || !value.chars().all(fits) {
            problems.push(Problem::new(
                &at,
                value,
                "is no tag value: at most 256 letters, digits, spaces and `_.:/=+-@`",
                "Shorten it or take the other characters out.",
            ));
        }
    }
}

fn tag_key(field: &str, key: &str, prefix: usize, problems: &mut Vec<Problem>) {
    let length = key.chars().count();
    if length == 0 || length + prefix > LONGEST_KEY || !key.chars().all(fits) {
        problems.push(Problem::new(
            field,
            key,
            "is no tag key: 1 to 128 letters, digits, spaces and `_.:/=+-@`, prefix included",
            "Shorten it or take the other characters out.",
        ));
    }
    if OWN.contains(&key) {
        problems.push(Problem::new(
            field,
            key,
            "is a tag that Landfall writes itself",
            format!("Take another key than {}.", OWN.join(", ")),
        ));
    }
}

fn contacts(
    field: &str,
    contacts: &std::collections::BTreeMap<String, Contact>,
    problems: &mut Vec<Problem>,
) {
    for (role, contact) in contacts {
        email_shape(&format!("{field}.{role}"), contact.email(), problems);
    }
    contact::check_parts(field, contacts, problems);
}

fn too_many_tags(field: &str, number: usize, problems: &mut Vec<Problem>) {
    if number > MOST_TAGS {
        problems.push(Problem::new(
            field,
            number,
            format!(
                "are too many tags for an account with all that it gets: AWS allows {MOST_TAGS}"
            ),
            "Leave some out.",
        ));
    }
}
