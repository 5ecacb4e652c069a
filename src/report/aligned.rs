//! Lines whose places stand in one column, written as they are made.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use anstyle::Style;

use super::visible::make_visible;

/// What is said beside the point.
pub(super) const DIM: Style = Style::new().dimmed();

/// How wide a text may be for the places of others to be aligned behind it.
const WIDEST: usize = 100;

/// How much is gathered before it is written.
const CHUNK: usize = 1 << 15;

/// Lines with their places aligned, written as they are made; texts and places as [`visible`](super::visible::visible) shows them.
///
/// The column of the places is not known before the last line is; so whatever makes the lines runs twice, the first
/// time to measure them.
pub struct Aligned<'o> {
    /// Where lines go; `None` while they are measured.
    out: Option<&'o mut dyn Write>,
    indent: usize,
    column: usize,
    line: String,
    dim: [String; 2],
}

impl<'o> Aligned<'o> {
    /// Writes the lines that `each` makes.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(
        out: &'o mut dyn Write,
        indent: usize,
        mut each: impl FnMut(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        let dim = [DIM.to_string(), format!("{DIM:#}")];
        let mut lines = Self { out: None, indent, column: 0, line: String::new(), dim };
        each(&mut lines)?;
        lines.out = Some(out);
        lines.line.clear();
        each(&mut lines)?;
        lines.pour(0)
    }

    fn pour(&mut self, limit: usize) -> io::Result<()> {
        if let Some(out) = &mut self.out
            && self.line.len() > limit
        {
            out.write_all(self.line.as_bytes())?;
            self.line.clear();
        }
        Ok(())
    }

    /// A line without a place.
    ///
    /// # Errors
    /// If writing fails.
    pub fn bare(&mut self, depth: usize, text: impl Display) -> io::Result<()> {
        if self.out.is_none() {
            return Ok(());
        }
        let lead = self.indent + 2 * depth;
        let start = self.line.len();
        push_blanks(&mut self.line, lead);
        let _ = write!(self.line, "{text}");
        make_visible(&mut self.line, start);
        self.line.push('\n');
        self.pour(CHUNK)
    }

    /// A line with its place, if that is not empty.
    ///
    /// # Errors
    /// If writing fails.
    pub fn line(&mut self, depth: usize, text: impl Display, place: impl Display) -> io::Result<()> {
        let lead = self.indent + 2 * depth;
        if self.out.is_none() {
            // No line can make the column wider than that.
            if self.column < WIDEST {
                self.line.clear();
                let _ = write!(self.line, "{text}");
                make_visible(&mut self.line, 0);
                let width = lead + width(&self.line);
                if width > self.column && width <= WIDEST {
                    self.line.clear();
                    let _ = write!(self.line, "{place}");
                    self.column = if self.line.is_empty() { self.column } else { width };
                }
            }
            return Ok(());
        }
        let start = self.line.len();
        push_blanks(&mut self.line, lead);
        let _ = write!(self.line, "{text}");
        make_visible(&mut self.line, start);
        let written = self.line.len();
        let width = self.line.get(start..).map_or(0, width);
        let pad = self.column.saturating_sub(width) + 2;
        let [dim, plain] = &self.dim;
        push_blanks(&mut self.line, pad);
        self.line.push_str(dim);
        let before = self.line.len();
        let _ = write!(self.line, "{place}");
        make_visible(&mut self.line, before);
        if self.line.len() == before {
            self.line.truncate(written);
        } else {
            self.line.push_str(plain);
        }
        self.line.push('\n');
        self.pour(CHUNK)
    }
}

/// How many characters a text has.
fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// Adds so many blanks.
fn push_blanks(line: &mut String, count: usize) {
    const BLANKS: &str = "                                                                                ";
    let mut rest = count;
    while rest > 0 {
        let some = rest.min(BLANKS.len());
        line.push_str(BLANKS.get(..some).unwrap_or(BLANKS));
        rest -= some;
    }
}
