//! One conversion as Java's `Formatter` reads it: `%[flags][width][.precision]` and then `s`, `S` or `d`.

/// A conversion that has been read and understood.
#[expect(clippy::struct_excessive_bools, reason = "Java's flags are as many")]
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Format {
    conversion: Conversion,
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    width: usize,
    precision: Option<usize>,
    /// Per cent signs that stand around it, written as `%%`.
    around: (usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Conversion {
    Text,
    UpperText,
    Number,
}

/// The rule that a format breaks which is none.
const SHAPE: &str = "write %[-0+ ][width][.precision] and then s, S or d";
/// The widest that a placeholder may be padded to.
const WIDEST: usize = 255;
/// The most characters that one becomes as a capital: `ΐ` becomes three.
const CAPITALS: usize = 3;

impl Format {
    /// Reads a format; an error is the rule that it breaks.
    pub(super) fn parse(written: &str) -> Result<Self, &'static str> {
        let start = written.bytes().take_while(|byte| *byte == b'%').count();
        if start % 2 == 0 {
            return Err(SHAPE);
        }
        let body = written[start..].trim_end_matches('%');
        let end = written.len() - start - body.len();
        if end % 2 == 1 {
            return Err("a per cent sign in a format is written %%");
        }
        let mut format = Self {
            conversion: Conversion::Text,
            left: false,
            zero: false,
            plus: false,
            space: false,
            width: 0,
            precision: None,
            around: (start / 2, end / 2),
        };
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let flags = body.bytes().take_while(|byte| b"-0+ #".contains(byte)).count();
        for flag in body[..flags].bytes() {
            let seen = match flag {
                b'-' => &mut format.left,
                b'0' => &mut format.zero,
                b'+' => &mut format.plus,
                b' ' => &mut format.space,
                _ => return Err("# changes nothing about s, S and d, and Java refuses it there"),
            };
            if std::mem::replace(seen, true) {
                return Err("a flag stands there twice");
            }
        }
        let mut rest = &body[flags..];
        let width = digits(rest);
        if width > 0 {
            format.width = rest[..width].parse().map_err(|_| SHAPE)?;
            rest = &rest[width..];
        }
        if let Some(after) = rest.strip_prefix('.') {
            let precision = digits(after);
            format.precision = Some(after[..precision].parse().map_err(|_| SHAPE)?);
            rest = &after[precision..];
        }
        format.conversion = match rest {
            "s" => Conversion::Text,
            "S" => Conversion::UpperText,
            "d" => Conversion::Number,
            _ => return Err(SHAPE),
        };
        format.checked()
    }

    /// The same if its parts go together.
    fn checked(self) -> Result<Self, &'static str> {
        let number = self.conversion == Conversion::Number;
        if self.width > WIDEST {
            Err("a width is 255 at most")
        } else if number && self.precision.is_some() {
            Err("%d takes no precision")
        } else if !number && (self.zero || self.plus || self.space) {
            Err("0, + and space are for %d")
        } else if (self.left || self.zero) && self.width == 0 {
            Err("- and 0 need a width")
        } else if (self.left && self.zero) || (self.plus && self.space) {
            Err("these flags exclude each other")
        } else {
            Ok(self)
        }
    }

    /// Whether it takes whole numbers only.
    pub(super) fn is_number(&self) -> bool {
        self.conversion == Conversion::Number
    }

    /// A text in this format: cut first, then raised, then padded.
    pub(super) fn text(&self, value: &str) -> String {
        let shown: String = value.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        let upper = self.conversion == Conversion::UpperText;
        self.pad(if upper { shown.to_uppercase() } else { shown })
    }

    /// A whole number in this format.
    pub(super) fn number(&self, value: i64) -> String {
        let sign = match value {
            ..0 => "-",
            _ if self.plus => "+",
            _ if self.space => " ",
            _ => "",
        };
        let digits = value.unsigned_abs().to_string();
        let fill = if self.zero { self.width.saturating_sub(sign.len() + digits.len()) } else { 0 };
        self.pad(format!("{sign}{}{digits}", "0".repeat(fill)))
    }

    /// The most characters that a value becomes which has this many; not every character of a text is ASCII.
    pub(super) fn longest(&self, value: usize, ascii: bool) -> usize {
        let shown = self.precision.map_or(value, |precision| value.min(precision));
        let shown = match self.conversion {
            Conversion::UpperText if !ascii => shown * CAPITALS,
            Conversion::Number => shown + usize::from(self.plus || self.space),
            _ => shown,
        };
        shown.max(self.width) + self.around.0 + self.around.1
    }

    fn pad(&self, shown: String) -> String {
        let width = self.width;
        let padded =
            if self.left { format!("{shown:<width$}") } else { format!("{shown:>width$}") };
        format!("{}{padded}{}", "%".repeat(self.around.0), "%".repeat(self.around.1))
    }
}
