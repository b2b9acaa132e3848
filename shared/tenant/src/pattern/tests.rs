use crate::IdentifierLengths;
use proptest::prelude::*;

use super::*;

fn values() -> Values {
    Values {
        texts: [
            ("workspaceIdentifier", "my-workspace"),
            ("projectIdentifier", "my-project"),
            ("platformGroupAlias", "admin"),
            ("tagProjectOwner", "Ada"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        numbers: [("tenantPlatformNumber".to_owned(), 4)].into(),
    }
}

fn render(pattern: &str) -> String {
    Pattern::parse(pattern).expect("a pattern").render(&values())
}

#[test]
fn the_documented_example_renders_as_documented() {
    let pattern =
        "#{workspaceIdentifier}.#{projectIdentifier:%.7s}-test.#{tenantPlatformNumber:%03d}";
    assert_eq!(render(pattern), "my-workspace.my-proj-test.004");
}

#[test]
fn java_formats_pad_cut_and_raise() {
    assert_eq!(render("[#{projectIdentifier:%-12s}]"), "[my-project  ]");
    assert_eq!(render("[#{projectIdentifier:%12.2S}]"), "[          MY]");
    assert_eq!(render("#{tenantPlatformNumber:%+05d}"), "+0004");
    assert_eq!(render("#{tenantPlatformNumber:% d}"), " 4");
    assert_eq!(render("#{tenantPlatformNumber:%.1s}#{tenantPlatformNumber}"), "44");
    assert_eq!(render("#{customerIdentifier}#{tagProjectOwner}"), "my-workspaceAda");
    assert_eq!(render("#{tenantPlatformNumber:%d%%}"), "4%");
}

#[test]
fn what_can_not_be_meant_is_refused() {
    for wrong in [
        "#{nobody}",
        "#{workspaceIdentifier",
        "#{workspaceIdentifier:%d}",
        "#{tagCostCenter:%d}",
        "#{workspaceIdentifier:%05s}",
        "#{workspaceIdentifier:%#s}",
        "#{tenantPlatformNumber:%#d}",
        "#{tenantPlatformNumber:%.2d}",
        "#{tenantPlatformNumber:%-05d}",
        "#{tenantPlatformNumber:%+ d}",
        "#{tenantPlatformNumber:%++d}",
        "#{projectIdentifier:%-s}",
        "#{projectIdentifier:%.s}",
        "#{projectIdentifier:s}",
        "#{projectIdentifier:%s%}",
        "#{projectIdentifier:%%s}",
        "#{projectIdentifier:%256s}",
        "#{projectIdentifier:%x}",
        "#{tagproject}",
        "#{}",
    ] {
        assert!(Pattern::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_group_is_named_for_its_role_and_an_account_is_not() {
    let text = "#{projectIdentifier}-#{platformGroupAlias:%.3S}";
    let refused = Pattern::parse(text).expect_err("an account has no role");
    assert!(!refused.to_string().contains("platformGroupAlias, "), "{refused}");
    let pattern = Pattern::parse_for_groups(text).expect("a pattern");
    assert_eq!(pattern.render(&values()), "my-project-ADM");
    let known = Pattern::parse_for_groups("#{alias}").expect_err("no placeholder").to_string();
    assert!(known.contains("platformGroupAlias"), "{known}");
}

/// Formats, values and results that Python's `%` made; `tests/patterns/formats.py` writes them.
#[test]
fn an_independent_formatter_agrees() {
    #[derive(serde::Deserialize)]
    struct Case {
        format: String,
        text: Option<String>,
        number: Option<i64>,
        shown: String,
    }
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../../tests/patterns/formats.json"))
            .expect("cases");
    assert!(cases.len() >= 1000, "{}", cases.len());
    for case in cases {
        let (name, values) = match (case.text, case.number) {
            (Some(text), _) => (
                "tagValue",
                Values { texts: [("tagValue".to_owned(), text)].into(), ..Values::default() },
            ),
            (None, number) => (
                "tenantPlatformNumber",
                Values {
                    numbers: number
                        .map(|number| ("tenantPlatformNumber".to_owned(), number))
                        .into_iter()
                        .collect(),
                    ..Values::default()
                },
            ),
        };
        let pattern = format!("#{{{name}:{}}}", case.format);
        let read = Pattern::parse(&pattern).expect("a format that Python knows too");
        assert_eq!(read.render(&values), case.shown, "{pattern} of {values:?}");
    }
}

proptest! {
    #[test]
    fn no_input_renders_longer_than_the_longest(
        workspace in "[a-z]{1,16}", project in "[a-z]{1,30}", number in 0i64..999_999, tag in "\\PC{0,256}",
        width in 0usize..40, precision in 1usize..40, upper: bool,
    ) {
        let width = if width == 0 { String::new() } else { width.to_string() };
        let conversion = if upper { "S" } else { "s" };
        let text = format!(
            "a+#{{workspaceIdentifier:%{width}.{precision}{conversion}}}.#{{projectIdentifier}}\
             #{{tenantPlatformNumber:%+03d}}#{{tagOwner:%{width}.{precision}{conversion}}}#{{tagOwner:%{conversion}%%}}@x.io",
        );
        let pattern = Pattern::parse(&text).expect("a pattern");
        let values = Values {
            texts: [("workspaceIdentifier", workspace), ("projectIdentifier", project), ("tagOwner", tag)]
                .map(|(name, value)| (name.to_owned(), value)).into(),
            numbers: [("tenantPlatformNumber".to_owned(), number)].into(),
        };
        prop_assert!(pattern.render(&values).chars().count() <= pattern.longest(IdentifierLengths::default()));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,60}") {
        let _ = Pattern::parse_for_groups(&text);
    }
}
