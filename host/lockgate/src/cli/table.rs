//! Tables for people.
//!
//! Enters: cells, as servers and files gave them. Leaves: aligned lines. Invariant: a cell is one line without control
//! characters, so that nothing a server sends steers the terminal.

use std::fmt::Write as _;

/// Characters of a cell that is shortened for a list.
const SHORT: usize = 80;

/// Rows below a header.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these column names.
    pub fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|&name| name.to_owned()).collect()] }
    }

    /// One more row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.iter().map(|cell| if cell.is_empty() { "-".to_owned() } else { clean(cell) }).collect());
    }

    /// As text, columns two blanks apart, each line ended.
    pub fn text(&self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                _ = write!(line, "{cell:<width$}  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Without control characters: they are shown as escapes.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        // Marks that turn the direction of writing can make one text look like another.
        let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// The first line, cut to what a list can hold.
pub fn short(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    if line.chars().count() <= SHORT {
        return line.to_owned();
    }
    line.chars().take(SHORT - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters_and_lines_end_without_blanks() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["größe".to_owned(), String::new()]);
        table.row(["a".to_owned(), "RUNNING".to_owned()]);
        assert_eq!(table.text(), "NAME   STATE\ngröße  -\na      RUNNING\n");
    }

    #[test]
    fn control_characters_are_shown_and_not_sent() {
        assert_eq!(clean("a\u{1b}[2Jb\r\n\u{202e}c"), "a\\u{1b}[2Jb\\r\\n\\u{202e}c");
    }

    #[test]
    fn a_trace_is_cut_to_the_start_of_its_first_line() {
        assert_eq!(short("one\n\tat two"), "one");
        let long = short(&"x".repeat(200));
        assert_eq!((long.chars().count(), long.chars().last()), (SHORT, Some('…')));
    }
}
