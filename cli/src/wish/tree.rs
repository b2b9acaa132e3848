//! A document as a tree that knows where each of its parts stands.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::{Location, Spanned};

/// Where something stands in its file, both counted from 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).max(1);
        Self { line: number(location.line()), column: number(location.column()) }
    }
}

/// A part of a document.
#[derive(Clone, Debug)]
pub struct Node {
    place: Place,
    content: Content,
}

/// Which half of a field is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Of {
    Name,
    Value,
}

#[derive(Clone, Debug)]
enum Content {
    Scalar(Value),
    List(Vec<Node>),
    Fields(Vec<(String, Place, Node)>),
}

impl Node {
    /// The document without places.
    #[must_use]
    pub fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => items.iter().map(Self::value).collect(),
            Content::Fields(fields) => Value::Object(
                fields.iter().map(|(key, _, node)| (key.clone(), node.value())).collect(),
            ),
        }
    }

    /// Where the value of a field such as `spec.stackSets[0].name` stands; where its nearest parent does if it is
    /// missing.
    #[must_use]
    pub fn place_of(&self, field: &str) -> Place {
        self.find(field, Of::Value).unwrap_or(self.place)
    }

    /// Where the name of a field stands.
    #[must_use]
    pub fn place_of_name(&self, field: &str) -> Place {
        self.find(field, Of::Name).unwrap_or(self.place)
    }

    /// Where a field stands, or the nearest of its parents that has a name.
    fn find(&self, field: &str, of: Of) -> Option<Place> {
        match &self.content {
            Content::Fields(fields) => {
                // A tag's key may hold dots: the longest key that fits is meant.
                let fitting = fields.iter().filter_map(|(key, place, node)| {
                    let rest = field.strip_prefix(key.as_str())?;
                    let ends = rest.is_empty() || rest.starts_with(['.', '[']);
                    ends.then_some((key.len(), rest, *place, node))
                });
                let (_, rest, place, node) = fitting.max_by_key(|(length, ..)| *length)?;
                let found = match (rest, of) {
                    ("", Of::Name) => None,
                    ("", Of::Value) => node.scalar_place(),
                    _ => node.find(rest.strip_prefix('.').unwrap_or(rest), of),
                };
                Some(found.unwrap_or(place))
            }
            Content::List(items) => {
                let (index, rest) = field.strip_prefix('[')?.split_once(']')?;
                let node = items.get(index.parse::<usize>().ok()?)?;
                let found = node.find(rest.strip_prefix('.').unwrap_or(rest), of);
                Some(found.unwrap_or(node.place))
            }
            Content::Scalar(_) => None,
        }
    }

    fn scalar_place(&self) -> Option<Place> {
        matches!(&self.content, Content::Scalar(value) if !value.is_null()).then_some(self.place)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Self { place: spanned.referenced.into(), content: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a document")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        Content::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Content::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Content, A::Error> {
        let mut nodes = Vec::new();
        while let Some((key, node)) = fields.next_entry::<Spanned<String>, Node>()? {
            nodes.push((key.value, key.referenced.into(), node));
        }
        Ok(Content::Fields(nodes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
kind: Tenant
metadata:
  workspace: payments
spec:
  tags:
    cost.center: 4711
    cost: x
  stackSets:
    - name: audit
      regions: []
";

    fn place(field: &str) -> (usize, usize) {
        let node: Node = serde_saphyr::from_str(TEXT).expect("YAML");
        let place = node.place_of(field);
        (place.line, place.column)
    }

    #[test]
    fn a_field_is_found_where_it_stands() {
        assert_eq!(place("kind"), (1, 7));
        assert_eq!(place("metadata.workspace"), (3, 14));
        assert_eq!(place("spec.tags.cost.center"), (6, 18));
        assert_eq!(place("spec.stackSets[0].name"), (9, 13));
    }

    #[test]
    fn a_missing_field_stands_where_its_parent_does() {
        assert_eq!(place("metadata.project"), (2, 1));
        assert_eq!(place("spec.stackSets[0].regions"), (10, 7));
        assert_eq!(place("apiVersion"), (1, 1));
    }

    #[test]
    fn the_tree_is_the_document() {
        let node: Node = serde_saphyr::from_str(TEXT).expect("YAML");
        assert_eq!(node.value()["spec"]["tags"]["cost.center"], 4711);
        assert_eq!(node.value()["spec"]["stackSets"][0]["regions"], serde_json::json!([]));
    }
}
