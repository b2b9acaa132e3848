//! Texts with placeholders such as `${ProductName}`: split once, for whoever fills them.

/// A piece of such a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Piece<'a> {
    /// Text that stays as it is.
    Literal(&'a str),
    /// The name between `${` and `}`.
    Placeholder(&'a str),
}

/// The pieces of a text; else the column of a `${` without its `}`.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, usize> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once("${") {
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        let column = text.len() - after.len() - 1;
        let (name, after) = after.split_once('}').ok_or(column)?;
        pieces.push(Piece::Placeholder(name));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_at_its_placeholders() {
        assert_eq!(
            pieces("a-${b}${c}"),
            Ok(vec![Piece::Literal("a-"), Piece::Placeholder("b"), Piece::Placeholder("c")])
        );
        assert_eq!(pieces(""), Ok(vec![]));
        assert_eq!(pieces("${a} ${b"), Err(6));
    }
}
