//! An account's alias: the first part of its sign-in address, unique over all of AWS.

use uuid::Uuid;

/// The fewest and the most characters of an alias, by AWS.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=63;
/// The most characters of an alias.
pub(crate) const LONGEST: usize = 63;
/// Characters of a suffix, its hyphen included.
const SUFFIX: usize = 7;

/// A text as an alias: lower-case letters, digits and single hyphens between them.
pub(crate) fn sanitised(text: &str) -> String {
    let mut alias = String::new();
    for one in text.to_lowercase().chars().take(LONGEST) {
        if one.is_ascii_lowercase() || one.is_ascii_digit() {
            alias.push(one);
        } else if !alias.ends_with('-') && !alias.is_empty() {
            alias.push('-');
        }
    }
    alias.trim_end_matches('-').to_owned()
}

/// Why AWS would not take an alias, if so.
pub(crate) fn refused(alias: &str) -> Option<&'static str> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !LENGTH.contains(&alias.len()) {
        Some("has not 3 to 63 characters")
    } else if alias.len() == 12 && alias.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("looks like an account's id")
    } else if alias.starts_with('-') || alias.ends_with('-') || alias.contains("--") {
        Some("has a hyphen at an end, or two in a row")
    } else if !alias.bytes().all(fits) {
        Some("has other characters than `a-z`, `0-9` and `-`")
    } else {
        None
    }
}

/// The alias that a tenant gets whose own belongs to another AWS account: the same with a suffix that stays its.
#[must_use]
pub fn suffixed_alias(alias: &str, tenant: Uuid) -> String {
    let suffix: String = tenant.simple().to_string().chars().take(SUFFIX - 1).collect();
    let stem: String = alias.chars().take(LONGEST - SUFFIX).collect();
    format!("{}-{suffix}", stem.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_aws_refuses_in_an_alias_is_taken_out() {
        assert_eq!(sanitised("Acme.payments--checkout_"), "acme-payments-checkout");
        assert_eq!(sanitised("-Äcme-"), "cme");
        assert_eq!(refused("123456789012"), Some("looks like an account's id"));
        assert!(refused("ab").is_some() && refused("a--b").is_some() && refused("abc").is_none());
    }

    proptest! {
        #[test]
        fn a_sanitised_text_that_is_long_enough_is_an_alias(text in "\\PC{0,120}", id: u128) {
            let alias = sanitised(&text);
            prop_assert_eq!(sanitised(&alias), alias.clone());
            if alias.len() >= 3 && !alias.bytes().all(|byte| byte.is_ascii_digit()) {
                prop_assert_eq!(refused(&alias), None);
                let other = suffixed_alias(&alias, Uuid::from_u128(id));
                prop_assert_eq!(refused(&other), None);
                prop_assert_ne!(other, alias);
            }
        }
    }
}
