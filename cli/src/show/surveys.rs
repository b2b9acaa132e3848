//! What surveys found: a line for each, and the accounts that are no tenant's.

use std::fmt::Write as _;

use tenant::{SurveySummary, SurveyView, Unmanaged};

use super::instant;
use super::paint::Paint;
use super::table::table;

/// The surveys of platforms.
#[must_use]
pub fn surveys(views: &[SurveyView], paint: Paint) -> String {
    let mut text = String::new();
    for view in views {
        let _ = write!(text, "{}", paint.bold(&view.platform));
        let _ = match &view.under_way {
            Some(survey) => writeln!(
                text,
                "  a survey is under way since {}: {} accounts so far",
                instant(survey.since),
                survey.accounts
            ),
            None => writeln!(text, "  next survey {}", instant(view.next)),
        };
        let rows: Vec<Vec<String>> = view.ended.iter().map(row).collect();
        let heads = [
            "BEGAN",
            "ACCOUNTS",
            "TENANTS",
            "DIFFER",
            "DRIFTED",
            "MISSING",
            "SUSPENDED",
            "UNMANAGED",
            "STACKS",
            "CALLS",
        ];
        if !rows.is_empty() {
            text.push_str(&table(&heads, &rows));
        }
    }
    text
}

fn row(survey: &SurveySummary) -> Vec<String> {
    let calls = &survey.calls;
    let mut row = vec![instant(survey.since)];
    let counts = [
        survey.accounts,
        survey.tenants,
        survey.differing,
        survey.drifted,
        survey.missing,
        survey.suspended,
        survey.unmanaged,
    ];
    row.extend(counts.map(|count| count.to_string()));
    row.push(survey.stacks.map_or_else(|| "-".to_owned(), |stacks| stacks.to_string()));
    row.push((calls.accounts + calls.stacks + calls.second_looks).to_string());
    row
}

/// The accounts that are no tenant's.
#[must_use]
pub fn unmanaged(accounts: &[Unmanaged]) -> String {
    let rows: Vec<Vec<String>> = accounts
        .iter()
        .map(|one| {
            vec![
                one.account.to_string(),
                one.name.clone(),
                one.email.clone(),
                one.state.clone(),
                one.units.join("/"),
                one.joined_method.clone(),
                one.platform.clone(),
                instant(one.first_seen),
            ]
        })
        .collect();
    table(
        &["ACCOUNT", "NAME", "E-MAIL", "STATE", "UNIT", "JOINED", "PLATFORM", "FIRST SEEN"],
        &rows,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_survey_is_a_line_under_its_platform() {
        let view: SurveyView = serde_json::from_value(json!({
            "platform": "aws", "next": "2026-01-01T12:00:00Z", "asOf": "2026-01-01T07:00:00Z",
            "ended": [{
                "since": "2026-01-01T06:00:00Z", "until": "2026-01-01T06:04:00Z", "askedBy": "schedule",
                "accounts": 2004, "tenants": 1990, "differing": 3, "drifted": 2, "missing": 1,
                "suspended": 0, "unmanaged": 12, "calls": {"accounts": 101, "stacks": 0, "secondLooks": 3}
            }]
        }))
        .expect("surveys");
        let expected = "\
aws  next survey 2026-01-01T12:00:00Z
BEGAN                 ACCOUNTS  TENANTS  DIFFER  DRIFTED  MISSING  SUSPENDED  UNMANAGED  STACKS  CALLS
2026-01-01T06:00:00Z  2004      1990     3       2        1        0          12         -       104
";
        assert_eq!(surveys(&[view], Paint::still(false)), expected);
    }
}
