//! Dead letters in columns.

use tenant::LetterView;

use super::instant;
use super::table::table;

/// Characters of what can't be read.
const SHOWN: usize = 40;
/// Characters of an error.
const LONGEST_ERROR: usize = 100;

/// Dead letters.
#[must_use]
pub fn letters(letters: &[LetterView]) -> String {
    let rows: Vec<Vec<String>> = letters
        .iter()
        .map(|one| {
            let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let to = or_none(&one.function);
            let to = if one.redrivable { to } else { format!("{to} (unknown)") };
            let about = match (&one.about, &one.tenant, &one.account) {
                (Some(about), Some(tenant), _) => format!("{about}: {tenant}"),
                (Some(about), None, Some(account)) => format!("{about}: account {account}"),
                (Some(about), None, None) => about.clone(),
                (None, ..) => short(&one.text, SHOWN),
            };
            vec![
                one.id.clone(),
                instant(one.since),
                or_none(&one.from),
                to,
                one.attempts.map_or_else(|| "-".to_owned(), |attempts| attempts.to_string()),
                about,
                one.error.as_deref().map(|error| short(error, LONGEST_ERROR)).unwrap_or_default(),
            ]
        })
        .collect();
    table(&["ID", "SINCE", "FROM", "TO", "TRIED", "ABOUT", "ERROR"], &rows)
}

/// The start of a text, on one line and without what a terminal would follow.
fn short(text: &str, longest: usize) -> String {
    let plain: String = text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    let cut: String = plain.chars().take(longest).collect();
    if cut.len() < plain.len() { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_letter_is_a_line_and_what_cannot_be_read_is_shown_as_it_is() {
        let all: Vec<LetterView> = serde_json::from_value(json!([
            {"id": "7d1c", "since": "2026-01-01T12:00:00Z", "from": "function landfall-hear-events",
             "function": "landfall-hear-events", "about": "CreateAccountResult of aws.organizations",
             "account": "444455556666", "tenant": "a.b.aws", "error": "Blocked: no permission", "attempts": 3,
             "redrivable": true, "text": "{}"},
            {"id": "8e2d", "since": "2026-01-01T12:01:00Z", "redrivable": false, "text": "hel\u{1b}lo\nyou"}
        ]))
        .expect("letters");
        let expected = "\
ID    SINCE                 FROM                           TO                    TRIED  ABOUT                                              ERROR
7d1c  2026-01-01T12:00:00Z  function landfall-hear-events  landfall-hear-events  3      CreateAccountResult of aws.organizations: a.b.aws  Blocked: no permission
8e2d  2026-01-01T12:01:00Z  -                              - (unknown)           -      hel lo you
";
        assert_eq!(letters(&all), expected);
    }
}
