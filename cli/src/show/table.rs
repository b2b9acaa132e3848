//! Tables in columns, without frames.

use console::measure_text_width;

/// A table under its heads; no column is wider than its widest cell, and no line ends in spaces.
#[must_use]
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let widths: Vec<usize> = (0..heads.len())
        .map(|column| {
            all.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| measure_text_width(cell))
                .max()
                .unwrap_or(0)
        })
        .collect();
    all.iter().map(|row| line(row, &widths)).collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> =
        row.iter().zip(widths).map(|(cell, width)| pad(cell, *width)).collect();
    format!("{}\n", cells.join("  ").trim_end())
}

/// Text filled up to a width as a terminal measures it.
#[must_use]
pub fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(measure_text_width(text));
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_no_line_ends_in_spaces() {
        let rows =
            [vec!["a".to_owned(), "Ready".to_owned()], vec!["longer".to_owned(), String::new()]];
        assert_eq!(table(&["NAME", "PHASE"], &rows), "NAME    PHASE\na       Ready\nlonger\n");
    }
}
