//! Labelled texts in a table, read as its bytes come: values with commas between them (RFC 4180), or with tabs.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::Example;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Commas between values; one in double quotes may hold commas, line ends and doubled quotes.
    Csv,
    /// Tabs between values, which are written as they are.
    Tsv,
}

/// Which column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// That under this name in the first row.
    Name(String),
    /// By its number, from 0. The first row is a text as well.
    Number(usize),
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The first row names no such column.
    #[error("line {line}: there is no column {name:?}; there are {}", .found.join(", "))]
    Column {
        /// The line, from 1.
        line: usize,
        /// The column.
        name: String,
        /// Those that there are.
        found: Vec<String>,
    },
    /// A row has too few values.
    #[error("line {line}: expected at least {expected} values, found {found}")]
    Short {
        /// The line on which the row begins, from 1.
        line: usize,
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A row has more values than the first one, as where a value with commas stands without quotes.
    #[error("line {line}: expected at most {expected} values, as many as the first row has, found {found}")]
    Long {
        /// The line on which the row begins, from 1.
        line: usize,
        /// How many the first row has.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A row has no label.
    #[error("line {line}: expected a label, found none")]
    Label {
        /// The line on which the row begins, from 1.
        line: usize,
    },
    /// A value is not UTF-8.
    #[error("line {line}: is not UTF-8")]
    Bytes {
        /// The line on which the row begins, from 1.
        line: usize,
    },
    /// The table ends in double quotes.
    #[error("line {line}: begins a row whose quotes are never closed")]
    Quotes {
        /// The line on which the row begins, from 1.
        line: usize,
    },
}

/// Reads a table piece by piece.
///
/// ```
/// use saccade_rnn::train::{Column, TableFormat, TableReader};
///
/// let [text, label] = ["review", "stars"].map(|name| Column::Name(name.into()));
/// let mut table = TableReader::new(TableFormat::Csv, Some(text), Some(label));
/// let mut rows = Vec::new();
/// // A piece may end anywhere.
/// table.push(b"stars,review\n5,\"Warm, and f", |row| rows.push(row))?;
/// table.push(b"unny.\"\n", |row| rows.push(row))?;
/// table.end(|row| rows.push(row))?;
/// assert_eq!((&rows[0].text[..], &rows[0].label[..], rows[0].line), ("Warm, and funny.", "5", 2));
/// # Ok::<(), saccade_rnn::train::TableError>(())
/// ```
pub struct TableReader {
    reader: Reader,
    text: Option<Column>,
    label: Option<Column>,
    /// The numbers of the columns of text and label, once they are known.
    columns: Option<[usize; 2]>,
    /// How many values the first row has.
    width: usize,
    /// The values of the row so far, one behind the other, and where each of them ends.
    values: Vec<u8>,
    ends: Vec<usize>,
    /// How much of the two is filled.
    filled: [usize; 2],
}

/// Room for a row; a larger one doubles it.
const ROOM: [usize; 2] = [1 << 12, 1 << 4];

impl TableReader {
    /// Reads text and label from these columns. By default from those that the first row names `text` and `label`, in upper
    /// or lower case; if it names neither, it is a row as any other, of a label and a text.
    pub fn new(format: TableFormat, text: Option<Column>, label: Option<Column>) -> Self {
        let mut builder = ReaderBuilder::new();
        if format == TableFormat::Tsv {
            builder.delimiter(b'\t').quoting(false);
        }
        let [values, ends] = ROOM;
        let (values, ends) = (vec![0; values], vec![0; ends]);
        Self { reader: builder.build(), text, label, columns: None, width: 0, values, ends, filled: [0; 2] }
    }

    /// Takes the next bytes, and gives `each` the rows that end in them.
    ///
    /// # Errors
    /// The first row that cannot be read; nothing more can be read then.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Example)) -> Result<(), TableError> {
        // To the parser, no bytes are the end.
        if bytes.is_empty() { Ok(()) } else { self.read(bytes, &mut each) }
    }

    /// Takes the end of the table, and gives `each` a last row without a line end.
    ///
    /// # Errors
    /// See [`Self::push`].
    pub fn end(&mut self, mut each: impl FnMut(Example)) -> Result<(), TableError> {
        // It ends the last row, unless that is within quotes.
        self.read(b"\n", &mut each)?;
        if self.filled != [0; 2] {
            return Err(TableError::Quotes { line: self.begin(false) });
        }
        Ok(())
    }

    fn read(&mut self, mut bytes: &[u8], each: &mut impl FnMut(Example)) -> Result<(), TableError> {
        while !bytes.is_empty() {
            let [values, ends] = self.filled;
            let (result, read, written, ended) =
                self.reader.read_record(bytes, &mut self.values[values..], &mut self.ends[ends..]);
            // After a carriage return the row ends before its line does.
            let ends_line = bytes[..read].last() == Some(&b'\n');
            bytes = &bytes[read..];
            self.filled = [values + written, ends + ended];
            match result {
                ReadRecordResult::OutputFull => self.values.resize(2 * self.values.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => {
                    let row = self.row(ends_line);
                    self.filled = [0; 2];
                    row?.into_iter().for_each(&mut *each);
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
        Ok(())
    }

    /// The line on which the row that has been read begins.
    fn begin(&self, ends_line: bool) -> usize {
        let within = self.values[..self.filled[0]].iter().filter(|&&byte| byte == b'\n').count();
        self.reader.line() as usize - within - usize::from(ends_line)
    }

    /// The row that has been read; none if it names the columns.
    fn row(&mut self, ends_line: bool) -> Result<Option<Example>, TableError> {
        let (values, ends) = (&self.values[..self.filled[0]], &self.ends[..self.filled[1]]);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let line = self.begin(ends_line);
        let value = |(from, &to): (usize, &usize)| std::str::from_utf8(&values[from..to]);
        let row = starts.zip(ends).map(value).collect::<Result<Vec<&str>, _>>();
        let row = row.map_err(|_| TableError::Bytes { line })?;
        let [text, label] = match self.columns {
            Some(columns) => columns,
            None => {
                let (columns, are_named) = self.find(&row, line)?;
                (self.columns, self.width) = (Some(columns), row.len());
                if are_named {
                    return Ok(None);
                }
                columns
            }
        };
        let expected = text.max(label) + 1;
        if row.len() < expected {
            return Err(TableError::Short { line, expected, found: row.len() });
        }
        if row.len() > self.width {
            return Err(TableError::Long { line, expected: self.width, found: row.len() });
        }
        let (text, label) = (row[text].to_owned(), row[label].trim().to_owned());
        if label.is_empty() {
            return Err(TableError::Label { line });
        }
        Ok(Some(Example { label, text, tokenised: false, phrase: false, line }))
    }

    /// The numbers of the columns, and whether the first row names them.
    fn find(&self, first: &[&str], line: usize) -> Result<([usize; 2], bool), TableError> {
        let is_usual =
            |name: &str| ["text", "label"].iter().any(|usual| name.trim().eq_ignore_ascii_case(usual));
        if self.text.is_none() && self.label.is_none() && !first.iter().any(|name| is_usual(name)) {
            return Ok(([1, 0], false));
        }
        let mut are_named = false;
        let mut number = |column: &Option<Column>, usual: &str| {
            let at = match column {
                Some(Column::Number(number)) => return Ok(*number),
                Some(Column::Name(name)) => first.iter().position(|found| found.trim() == name),
                None => first.iter().position(|found| found.trim().eq_ignore_ascii_case(usual)),
            };
            are_named = true;
            let name = match column {
                Some(Column::Name(name)) => name,
                _ => usual,
            };
            at.ok_or_else(|| TableError::Column {
                line,
                name: name.into(),
                found: first.iter().map(|&name| name.to_owned()).collect(),
            })
        };
        let columns = [number(&self.text, "text")?, number(&self.label, "label")?];
        Ok((columns, are_named))
    }
}

impl std::fmt::Debug for TableReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { text, label, columns, .. } = self;
        let mut debug = f.debug_struct("TableReader");
        debug.field("text", text).field("label", label).field("columns", columns).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows = Result<Vec<(String, String, usize)>, TableError>;

    /// All rows of a table that comes in pieces of so many bytes.
    fn rows(format: TableFormat, columns: [Option<Column>; 2], table: &[u8], piece: usize) -> Rows {
        let [text, label] = columns;
        let (mut reader, mut rows) = (TableReader::new(format, text, label), Vec::new());
        let mut each = |Example { label, text, line, .. }| rows.push((label, text, line));
        table.chunks(piece).try_for_each(|piece| reader.push(piece, &mut each))?;
        reader.end(&mut each)?;
        Ok(rows)
    }

    fn csv(table: &str) -> Rows {
        let whole = rows(TableFormat::Csv, [None, None], table.as_bytes(), usize::MAX);
        for piece in [1, 2, 3, 7] {
            assert_eq!(
                rows(TableFormat::Csv, [None, None], table.as_bytes(), piece),
                whole,
                "{piece}: {table:?}"
            );
        }
        whole
    }

    fn row(label: &str, text: &str, line: usize) -> (String, String, usize) {
        (label.into(), text.into(), line)
    }

    #[test]
    fn rows_have_the_lines_on_which_they_begin() {
        let table = "label,text\r\nyes,\"One,\r\n\"\"two\"\"\"\r\n\r\n\nno,three\nyes,";
        let expected = [row("yes", "One,\r\n\"two\"", 2), row("no", "three", 6), row("yes", "", 7)];
        assert_eq!(csv(table), Ok(expected.to_vec()));
        assert_eq!(csv("text,label\nÄ 🦀,yes"), Ok(vec![row("yes", "Ä 🦀", 2)]));
        assert_eq!(csv(" yes ,a\nno,b\n"), Ok(vec![row("yes", "a", 1), row("no", "b", 2)]), "no names");
        assert_eq!(csv(""), Ok(vec![]));
        assert_eq!(csv("\n\n"), Ok(vec![]));
        // A row that is larger than the room for one.
        let (long, many) = ("word ".repeat(5000), ",x".repeat(100));
        assert_eq!(csv(&format!("yes,{long}{many}\n")), Ok(vec![row("yes", &long, 1)]));
    }

    #[test]
    fn quotes_that_are_never_closed_are_an_error() {
        let open = |line| Err(TableError::Quotes { line });
        assert_eq!(csv("yes,a\nno,\"b\nyes,c\n"), open(2));
        assert_eq!(csv("yes,a\n\nno,\"b\r\n\r\nyes,c"), open(3));
        assert_eq!(csv("yes,a\n\""), open(2));
        assert_eq!(csv("yes,\"a\""), Ok(vec![row("yes", "a", 1)]));
        assert_eq!(csv("yes,\"a\"\r"), Ok(vec![row("yes", "a", 1)]));
    }

    #[test]
    fn a_first_row_that_names_one_of_the_two_columns_names_columns() {
        let missing = |name: &str, found: [&str; 2]| {
            Err(TableError::Column { line: 1, name: name.into(), found: found.map(String::from).to_vec() })
        };
        assert_eq!(csv("text,sentiment\na,b\n"), missing("label", ["text", "sentiment"]));
        assert_eq!(csv("Label,sentence\na,b\n"), missing("text", ["Label", "sentence"]));
        assert_eq!(csv("Text, LABEL\na,b\n"), Ok(vec![row("b", "a", 2)]));
    }

    #[test]
    fn columns_are_chosen_by_name_or_number() {
        let name = |name: &str| Some(Column::Name(name.into()));
        let number = |number| Some(Column::Number(number));
        let tsv = |columns, table: &str| rows(TableFormat::Tsv, columns, table.as_bytes(), 5);
        let table = "id\treview\tstars\n7\t\"fine\"\t5\n";
        assert_eq!(tsv([name("review"), name("stars")], table), Ok(vec![row("5", "\"fine\"", 2)]));
        let first = row("stars", "review", 1);
        assert_eq!(tsv([number(1), number(2)], table), Ok(vec![first, row("5", "\"fine\"", 2)]));
        assert_eq!(tsv([name("review"), number(0)], table), Ok(vec![row("7", "\"fine\"", 2)]));
        let found = ["id", "review", "stars"].map(String::from).to_vec();
        let missing = TableError::Column { line: 1, name: "label".into(), found };
        assert_eq!(tsv([name("review"), None], table), Err(missing));
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named_by_its_line() {
        assert_eq!(csv("yes,a\n\nno\n"), Err(TableError::Short { line: 3, expected: 2, found: 1 }));
        let long = |line| Err(TableError::Long { line, expected: 2, found: 3 });
        assert_eq!(csv("text,label\ngood,yes\na plot, a cast,no\n"), long(3));
        assert_eq!(csv("no,a plot\nyes,a plot, a cast\n"), long(2), "no names");
        assert_eq!(csv("label,text,note\nyes,a\nno,b,c\n"), Ok(vec![row("yes", "a", 2), row("no", "b", 3)]));
        assert_eq!(csv("label,text\nyes,a\n ,b\n"), Err(TableError::Label { line: 3 }));
        for piece in [1, 4, usize::MAX] {
            let wrong = rows(TableFormat::Csv, [None, None], b"yes,a\nno,\xff\xfe\nyes,b\n", piece);
            assert_eq!(wrong, Err(TableError::Bytes { line: 2 }));
        }
    }
}
