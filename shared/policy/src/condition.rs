//! The `Condition` element: operators, set operators, `IfExists`, and values of the request.

use crate::compare::{date, in_range};
use crate::document::Error;
use crate::pattern::{Pattern, Syntax};
use crate::request::Context;

/// One operator applied to one key.
#[derive(Debug)]
pub(crate) struct Condition {
    operator: Operator,
    key: String,
    values: Vec<Pattern>,
    /// For ARN operators instead of `values`: six segments each, compared one by one.
    arns: Vec<Vec<Pattern>>,
}

#[derive(Debug, Clone, Copy)]
struct Operator {
    test: Test,
    negated: bool,
    set: Option<Set>,
    if_exists: bool,
}

/// How the several values of a key count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    ForAllValues,
    ForAnyValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Equals,
    EqualsIgnoringCase,
    Like,
    Numeric(Relation),
    Date(Relation),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            // Policies mean the same number, written the same way.
            #[expect(clippy::float_cmp, reason = "both sides are parsed from decimal text")]
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl Operator {
    fn parse(name: &str, path: &str) -> Result<Self, Error> {
        let (set, rest) = match name.split_once(':') {
            None => (None, name),
            Some(("ForAllValues", rest)) => (Some(Set::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(Set::ForAnyValue), rest),
            Some(_) => return Err(Error::new(path, "unknown set operator")),
        };
        let (rest, if_exists) = match rest.strip_suffix("IfExists") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (test, negated) = Self::test(rest)
            .filter(|(test, _)| *test != Test::Null || !if_exists)
            .ok_or_else(|| Error::new(path, "unknown condition operator"))?;
        Ok(Self { test, negated, set, if_exists })
    }

    fn test(name: &str) -> Option<(Test, bool)> {
        let plain = |test| Some((test, false));
        let negated = |test| Some((test, true));
        match name {
            "StringEquals" => plain(Test::Equals),
            "StringNotEquals" => negated(Test::Equals),
            "StringEqualsIgnoreCase" => plain(Test::EqualsIgnoringCase),
            "StringNotEqualsIgnoreCase" => negated(Test::EqualsIgnoringCase),
            "StringLike" => plain(Test::Like),
            "StringNotLike" => negated(Test::Like),
            "NumericEquals" => plain(Test::Numeric(Relation::Equal)),
            "NumericNotEquals" => negated(Test::Numeric(Relation::Equal)),
            "NumericLessThan" => plain(Test::Numeric(Relation::Less)),
            "NumericLessThanEquals" => plain(Test::Numeric(Relation::LessOrEqual)),
            "NumericGreaterThan" => plain(Test::Numeric(Relation::Greater)),
            "NumericGreaterThanEquals" => plain(Test::Numeric(Relation::GreaterOrEqual)),
            "DateEquals" => plain(Test::Date(Relation::Equal)),
            "DateNotEquals" => negated(Test::Date(Relation::Equal)),
            "DateLessThan" => plain(Test::Date(Relation::Less)),
            "DateLessThanEquals" => plain(Test::Date(Relation::LessOrEqual)),
            "DateGreaterThan" => plain(Test::Date(Relation::Greater)),
            "DateGreaterThanEquals" => plain(Test::Date(Relation::GreaterOrEqual)),
            "Bool" => plain(Test::Bool),
            "BinaryEquals" => plain(Test::Binary),
            "IpAddress" => plain(Test::Address),
            "NotIpAddress" => negated(Test::Address),
            "ArnEquals" | "ArnLike" => plain(Test::Arn),
            "ArnNotEquals" | "ArnNotLike" => negated(Test::Arn),
            "Null" => plain(Test::Null),
            _ => None,
        }
    }

    /// What the operator says about a key that the request does not have.
    fn holds_without_value(self) -> bool {
        match self.set {
            Some(Set::ForAllValues) => true,
            Some(Set::ForAnyValue) => self.if_exists,
            None => self.if_exists || self.negated,
        }
    }
}

impl Condition {
    /// Compiles one key of one operator; errors name `path`.
    pub(crate) fn parse(
        operator: &str,
        key: &str,
        values: &[String],
        variables: bool,
        path: &str,
    ) -> Result<Self, Error> {
        let operator = Operator::parse(operator, path)?;
        let takes_variables = matches!(
            operator.test,
            Test::Equals | Test::EqualsIgnoringCase | Test::Like | Test::Arn | Test::Bool
        );
        let syntax = Syntax {
            variables: variables && takes_variables,
            wildcards: matches!(operator.test, Test::Like | Test::Arn),
        };
        let segments = |arn: &String| {
            arn.splitn(6, ':').map(|segment| Pattern::parse(segment, syntax, path)).collect()
        };
        let (values, arns) = if operator.test == Test::Arn {
            (Vec::new(), values.iter().map(segments).collect::<Result<_, _>>()?)
        } else {
            let patterns = values.iter().map(|value| Pattern::parse(value, syntax, path));
            (patterns.collect::<Result<_, _>>()?, Vec::new())
        };
        Ok(Self { operator, key: key.to_lowercase(), values, arns })
    }

    /// Whether the request's values satisfy the condition.
    pub(crate) fn holds(&self, context: &Context) -> bool {
        let found = context.lower(&self.key);
        if self.operator.test == Test::Null {
            let absent = if found.is_none() { "true" } else { "false" };
            return self.values.iter().any(|value| value.matches(absent, context));
        }
        let Some(found) = found else { return self.operator.holds_without_value() };
        let mut passes =
            found.iter().map(|value| self.hits(value, context) != self.operator.negated);
        match self.operator.set {
            Some(Set::ForAllValues) => passes.all(|pass| pass),
            Some(Set::ForAnyValue) | None => passes.any(|pass| pass),
        }
    }

    /// Whether any of the policy's values fits one value of the request.
    fn hits(&self, found: &str, context: &Context) -> bool {
        let any = |fits: &dyn Fn(&str) -> bool| {
            self.values.iter().filter_map(|value| value.text(context)).any(|text| fits(&text))
        };
        let number = |text: &str| text.parse::<f64>().ok();
        match self.operator.test {
            Test::Equals | Test::Like => {
                self.values.iter().any(|value| value.matches(found, context))
            }
            Test::EqualsIgnoringCase => any(&|text| text.to_lowercase() == found.to_lowercase()),
            Test::Binary => any(&|text| text == found),
            Test::Bool => any(&|text| text.eq_ignore_ascii_case(found)),
            Test::Address => any(&|text| in_range(found, text)),
            Test::Numeric(relation) => any(&|text| related(relation, number, found, text)),
            Test::Date(relation) => any(&|text| related(relation, date, found, text)),
            Test::Arn => {
                let found: Vec<&str> = found.splitn(6, ':').collect();
                self.arns.iter().any(|arn| arn_fits(arn, &found, context))
            }
            Test::Null => false,
        }
    }
}

fn related(
    relation: Relation,
    read: impl Fn(&str) -> Option<f64>,
    found: &str,
    wanted: &str,
) -> bool {
    read(found).zip(read(wanted)).is_some_and(|(found, wanted)| relation.holds(found, wanted))
}

fn arn_fits(arn: &[Pattern], found: &[&str], context: &Context) -> bool {
    let whole = arn.len() == 6 && found.len() == 6;
    whole && arn.iter().zip(found).all(|(segment, text)| segment.matches(text, context))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(operator: &str, key: &str, value: &str, context: &Context) -> bool {
        Condition::parse(operator, key, &[value.to_owned()], true, "Condition")
            .expect("a condition")
            .holds(context)
    }

    #[test]
    fn an_absent_key_satisfies_negations_and_if_exists_only() {
        let none = Context::default();
        assert!(!holds("StringEquals", "aws:x", "a", &none));
        assert!(holds("StringNotEquals", "aws:x", "a", &none));
        assert!(holds("StringEqualsIfExists", "aws:x", "a", &none));
        assert!(holds("ForAllValues:StringEquals", "aws:x", "a", &none));
        assert!(!holds("ForAnyValue:StringNotEquals", "aws:x", "a", &none));
        assert!(holds("Null", "aws:x", "true", &none));
    }

    #[test]
    fn arns_are_compared_segment_by_segment() {
        let context = Context::default().with("aws:PrincipalArn", "arn:aws:iam::1:role/landfall-a");
        assert!(holds("ArnLike", "aws:principalarn", "arn:*:iam::1:role/landfall-*", &context));
        assert!(!holds("ArnLike", "aws:principalarn", "arn:aws:*:role/landfall-*", &context));
        assert!(holds("ArnEquals", "aws:principalarn", "arn:aws:iam::*:role/*", &context));
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let context = Context::default().with("s3:max-keys", "10");
        assert!(holds("NumericGreaterThan", "s3:max-keys", "9", &context));
        assert!(!holds("NumericLessThanEquals", "s3:max-keys", "9.5", &context));
        assert!(!holds("NumericEquals", "s3:max-keys", "ten", &context));
    }

    #[test]
    fn unknown_operators_are_refused() {
        for name in ["StringSounds", "ForSome:StringEquals", "NullIfExists", "BoolIsh"] {
            assert!(Operator::parse(name, "Condition").is_err(), "{name}");
        }
    }
}
