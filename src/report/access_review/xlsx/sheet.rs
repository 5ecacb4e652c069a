//! A sheet with a header that stays in sight, filters and widths; what does not fit on one goes on in the next.

use rust_xlsxwriter::{ColNum, Format, RowNum, Workbook, Worksheet, XlsxError};

use crate::report::visible::visible;

/// How many rows a sheet can have.
const ROWS: RowNum = 1_048_576;
/// How many UTF-16 units a cell can hold.
const UNITS: usize = 32_767;
/// What stands at the end of a text that is cut.
const CUT: &str = " ... cut here: a cell holds no more; -o csv has it whole";

/// Titles of columns with their widths.
pub(super) type Columns = [(&'static str, f64)];

/// A text as a cell takes it: one line with nothing hidden in it, cut with a mark where it is too long.
pub(super) fn cell_text(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    let text = lines.join("\n");
    if text.encode_utf16().count() <= UNITS {
        return text;
    }
    let mut kept = String::new();
    let mut units = CUT.len();
    for char in text.chars() {
        units += char.len_utf16();
        if units > UNITS {
            break;
        }
        kept.push(char);
    }
    kept + CUT
}

/// How high a row of one line is, and a row at most, in points.
const LINE: u32 = 15;
const HIGHEST: u32 = 405;
/// How high a row of a list is at most: its cells have the whole text all the same.
const HIGHEST_OF_LIST: u32 = 6 * LINE;

/// How high a row has to be for a text in a column of a width; not every program finds it out by itself.
pub(super) fn height(text: &str, width: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "widths are small")]
    let width = (width.max(1.0) as usize).max(1);
    let lines: usize = text.split('\n').map(|line| line.chars().count().div_ceil(width).max(1)).sum();
    u32::try_from(lines).unwrap_or(u32::MAX).saturating_mul(LINE).min(HIGHEST)
}

/// A sheet while its rows are written from top to bottom.
pub(super) struct Sheet<'s> {
    name: &'static str,
    columns: &'s Columns,
    head: Format,
    page: Worksheet,
    row: RowNum,
    height: u32,
    parts: Vec<Worksheet>,
    most: RowNum,
}

impl<'s> Sheet<'s> {
    /// An empty sheet. What is printed repeats the header, in landscape, as wide as a page.
    pub(super) fn new(name: &'static str, columns: &'s Columns, head: &Format) -> Result<Self, XlsxError> {
        let sheet = begin(name, columns, head)?;
        let (head, parts) = (head.clone(), Vec::new());
        Ok(Self { name, columns, head, page: sheet, row: 0, height: LINE, parts, most: ROWS })
    }

    /// Begins the next row; on the next sheet, where this one is full.
    pub(super) fn next(&mut self) -> Result<(), XlsxError> {
        self.end_row()?;
        if self.row + 1 >= self.most {
            let name = format!("{} {}", self.name, self.parts.len() + 2);
            let next = begin(&name, self.columns, &self.head)?;
            self.close()?;
            self.parts.push(std::mem::replace(&mut self.page, next));
            self.row = 0;
        }
        self.row += 1;
        Ok(())
    }

    /// Makes the row as high as its texts are.
    fn end_row(&mut self) -> Result<(), XlsxError> {
        if self.height > LINE {
            self.page.set_row_height(self.row, self.height)?;
        }
        self.height = LINE;
        Ok(())
    }

    /// Writes a text into the row, as a string whatever it looks like.
    pub(super) fn text(&mut self, column: ColNum, text: &str, format: &Format) -> Result<(), XlsxError> {
        if text.is_empty() {
            self.page.write_blank(self.row, column, format)?;
        } else {
            let width = self.columns.get(usize::from(column)).map_or(1.0, |(_, width)| *width);
            self.height = self.height.max(height(text, width).min(HIGHEST_OF_LIST));
            self.page.write_string_with_format(self.row, column, cell_text(text), format)?;
        }
        Ok(())
    }

    /// Writes texts into the row from the first column on.
    pub(super) fn texts<'t>(
        &mut self,
        texts: impl IntoIterator<Item = &'t str>,
        format: &Format,
    ) -> Result<(), XlsxError> {
        texts.into_iter().zip(0..).try_for_each(|(text, column)| self.text(column, text, format))
    }

    /// Writes a number into the row.
    pub(super) fn number(&mut self, column: ColNum, number: usize, format: &Format) -> Result<(), XlsxError> {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.page.write_number_with_format(self.row, column, number, format)?;
        Ok(())
    }

    /// The sheet that is written now, and the number of its last row.
    pub(super) fn sheet(&mut self) -> (&mut Worksheet, RowNum) {
        (&mut self.page, self.row)
    }

    fn close(&mut self) -> Result<(), XlsxError> {
        let last = ColNum::try_from(self.columns.len().saturating_sub(1)).unwrap_or_default();
        self.page.autofilter(0, 0, self.row, last)?;
        Ok(())
    }

    /// Puts the sheet into the book, and those that it went on in.
    pub(super) fn finish(mut self, book: &mut Workbook) -> Result<(), XlsxError> {
        self.end_row()?;
        self.close()?;
        self.parts.into_iter().for_each(|part| book.push_worksheet(part));
        book.push_worksheet(self.page);
        Ok(())
    }
}

fn begin(name: &str, columns: &Columns, head: &Format) -> Result<Worksheet, XlsxError> {
    let mut sheet = Worksheet::new();
    sheet.set_name(name)?;
    for ((title, width), number) in columns.iter().zip(0..) {
        sheet.write_string_with_format(0, number, *title, head)?;
        sheet.set_column_width(number, *width)?;
    }
    sheet.set_freeze_panes(1, 1)?;
    sheet.set_repeat_rows(0, 0)?;
    print_setup(&mut sheet);
    Ok(sheet)
}

/// A4 across, as wide as a page, with the numbers of the pages.
pub(super) fn print_setup(sheet: &mut Worksheet) {
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_footer("&L&A&RPage &P of &N");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_is_cut_with_a_mark_and_fits() {
        let long = "\u{1f600}".repeat(UNITS);
        let cut = cell_text(&long);
        assert!(cut.ends_with(CUT));
        assert!((UNITS - 1..=UNITS).contains(&cut.encode_utf16().count()));
        let short = "x".repeat(UNITS);
        assert_eq!(cell_text(&short), short);
        assert_eq!(cell_text("a\u{202e}b\u{7}"), "a\\u{202e}b\\u{7}");
    }

    #[test]
    fn a_row_is_as_high_as_its_longest_text() {
        assert_eq!(height("short", 10.0), LINE);
        assert_eq!(height("eleven sign", 10.0), 2 * LINE);
        assert_eq!(height("a\n\nb", 10.0), 3 * LINE);
        assert_eq!(height(&"x".repeat(9999), 10.0), HIGHEST);
    }

    #[test]
    fn what_does_not_fit_on_a_sheet_goes_on_in_the_next() {
        let columns: &Columns = &[("one", 9.0)];
        let mut sheet = Sheet::new("list", columns, &Format::new()).unwrap();
        sheet.most = 3;
        for _ in 0..5 {
            sheet.next().unwrap();
            sheet.texts(["x"], &Format::new()).unwrap();
        }
        assert_eq!((sheet.parts.len(), sheet.row), (2, 1));
        let mut book = Workbook::new();
        sheet.finish(&mut book).unwrap();
        let names: Vec<String> = book.worksheets().iter().map(Worksheet::name).collect();
        assert_eq!(names, ["list", "list 2", "list 3"]);
    }
}
