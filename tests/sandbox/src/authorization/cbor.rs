//! The part of CBOR that AWS's SDKs send, read into JSON, and error bodies written.

use serde_json::{Map, Number, Value};

/// Reads one item; byte strings become lossy text, tags vanish.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { bytes, at: 0 };
    match reader.item()? {
        Item::Value(value) => Some(value),
        Item::Break => None,
    }
}

/// A map of texts.
pub(super) fn encode(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    head(&mut bytes, 5, entries.len());
    for (key, value) in entries {
        for text in [key, value] {
            head(&mut bytes, 3, text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes
}

fn head(bytes: &mut Vec<u8>, major: u8, length: usize) {
    let major = major << 5;
    match u8::try_from(length) {
        Ok(short @ ..24) => bytes.push(major | short),
        Ok(byte) => bytes.extend([major | 0x18, byte]),
        Err(_) => {
            bytes.push(major | 0x1a);
            bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        }
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

enum Item {
    Value(Value),
    Break,
}

/// How many items follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Left(u64),
    /// Until a break.
    Open,
}

impl Length {
    fn shorter(self) -> Self {
        match self {
            Self::Left(left) => Self::Left(left.saturating_sub(1)),
            Self::Open => Self::Open,
        }
    }
}

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn unsigned(&mut self, width: usize) -> Option<u64> {
        Some(self.take(width)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// The number that a head carries.
    fn argument(&mut self, info: u8) -> Option<u64> {
        match info {
            0..=23 => Some(u64::from(info)),
            24..=27 => self.unsigned(1 << (info - 24)),
            _ => None,
        }
    }

    fn length(&mut self, info: u8) -> Option<Length> {
        match info {
            31 => Some(Length::Open),
            _ => Some(Length::Left(self.argument(info)?)),
        }
    }

    fn item(&mut self) -> Option<Item> {
        let first = *self.take(1)?.first()?;
        let (major, info) = (first >> 5, first & 31);
        let value = match major {
            0 => Value::from(self.argument(info)?),
            1 => Value::from(-1 - i64::try_from(self.argument(info)?).ok()?),
            2 | 3 => Value::String(self.text(info)?),
            4 => self.array(info)?,
            5 => self.map(info)?,
            6 => {
                self.argument(info)?;
                return self.item();
            }
            _ => return self.simple(info),
        };
        Some(Item::Value(value))
    }

    fn text(&mut self, info: u8) -> Option<String> {
        if let Length::Left(length) = self.length(info)? {
            let bytes = self.take(usize::try_from(length).ok()?)?;
            return Some(String::from_utf8_lossy(bytes).into_owned());
        }
        let mut text = String::new();
        while let Item::Value(Value::String(chunk)) = self.item()? {
            text.push_str(&chunk);
        }
        Some(text)
    }

    fn array(&mut self, info: u8) -> Option<Value> {
        let mut length = self.length(info)?;
        let mut values = Vec::new();
        while length != Length::Left(0) {
            match self.item()? {
                Item::Value(value) => values.push(value),
                Item::Break => break,
            }
            length = length.shorter();
        }
        Some(Value::Array(values))
    }

    fn map(&mut self, info: u8) -> Option<Value> {
        let mut length = self.length(info)?;
        let mut entries = Map::new();
        while length != Length::Left(0) {
            let key = match self.item()? {
                Item::Value(key) => key.as_str()?.to_owned(),
                Item::Break => break,
            };
            let Item::Value(value) = self.item()? else { return None };
            entries.insert(key, value);
            length = length.shorter();
        }
        Some(Value::Object(entries))
    }

    fn simple(&mut self, info: u8) -> Option<Item> {
        let number = |number: f64| Number::from_f64(number).map_or(Value::Null, Value::Number);
        Some(Item::Value(match info {
            20 => Value::Bool(false),
            21 => Value::Bool(true),
            22 | 23 => Value::Null,
            26 => number(f32::from_bits(u32::try_from(self.unsigned(4)?).ok()?).into()),
            27 => number(f64::from_bits(self.unsigned(8)?)),
            31 => return Some(Item::Break),
            _ => return None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let long = "x".repeat(300);
        let bytes = encode(&[("__type", "AccessDeniedException"), ("message", &long)]);
        let read = decode(&bytes).expect("CBOR");
        assert_eq!(read, json!({"__type": "AccessDeniedException", "message": long}));
    }

    #[test]
    fn lengths_may_be_open_and_numbers_of_any_kind() {
        // {_ "a": [_ 1, -2, 1.5], "b": tag 1 (true)}
        let bytes = [
            0xbf, 0x61, b'a', 0x9f, 0x01, 0x21, 0xfa, 0x3f, 0xc0, 0, 0, 0xff, 0x61, b'b', 0xc1,
            0xf5, 0xff,
        ];
        assert_eq!(decode(&bytes), Some(json!({"a": [1, -2, 1.5], "b": true})));
        assert_eq!(decode(&[0x9f, 0x01]), None);
    }
}
