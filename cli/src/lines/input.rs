//! Input, cut into lines, and these into chunks.

use std::io::{self, BufRead, BufReader, Read};

/// The most bytes that are read at once, and so about the most of a chunk of short lines.
const AT_ONCE: usize = 32 << 10;
/// The most lines of a chunk.
const MOST_LINES: usize = 256;

/// A byte order mark in UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Lines in a row.
#[derive(Debug, PartialEq)]
pub(crate) struct Chunk {
    /// The number of the first, from 1.
    pub(super) first: u64,
    /// Their bytes without the ends of lines.
    pub(super) lines: Vec<Result<Vec<u8>, TooLong>>,
}

/// A line was too long, and was not kept.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the line has {bytes} bytes, and --max-bytes allows {most}")]
pub(super) struct TooLong {
    bytes: u64,
    most: usize,
}

/// The lines of an input.
pub(crate) struct Lines<R> {
    input: BufReader<R>,
    most: usize,
    /// How many lines are in earlier chunks.
    done: u64,
    /// What there is of a line that has not ended yet; nothing where it is too long.
    line: Vec<u8>,
    /// How long that line is, if there is one.
    bytes: Option<u64>,
    /// The input failed after the last chunk.
    failed: Option<io::Error>,
}

impl<R: Read> Lines<R> {
    /// Keeps no line that has more than `most` bytes.
    pub(crate) fn new(input: R, most: usize) -> Self {
        let input = BufReader::with_capacity(AT_ONCE, input);
        Self { input, most, done: 0, line: Vec::new(), bytes: None, failed: None }
    }

    /// The next lines; none after the last. Waits for input only while there is no line.
    pub(super) fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        let mut lines = Vec::new();
        while lines.len() < MOST_LINES && (lines.is_empty() || !self.input.buffer().is_empty()) {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            match self.next_part() {
                Ok(Part::Open) => {}
                Ok(Part::Line(line)) => lines.push(line),
                Ok(Part::End) => {
                    lines.extend(self.bytes.is_some().then(|| self.close()));
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.failed = Some(error),
            }
        }
        // A byte order mark says how the text is written, and is none of it.
        if self.done == 0
            && let Some(Ok(line)) = lines.first_mut()
            && line.starts_with(MARK)
        {
            line.drain(..MARK.len());
        }
        let first = self.done + 1;
        self.done += lines.len() as u64;
        Ok((!lines.is_empty()).then_some(Chunk { first, lines }))
    }

    fn next_part(&mut self) -> io::Result<Part> {
        let bytes = self.input.fill_buf()?;
        if bytes.is_empty() {
            return Ok(Part::End);
        }
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let length = self.bytes.unwrap_or(0) + part.len() as u64;
        self.bytes = Some(length);
        // One more for the `\r` before the line's end.
        if length <= (self.most as u64).saturating_add(1) {
            self.line.extend_from_slice(part);
        } else {
            self.line = Vec::new();
        }
        let used = part.len() + usize::from(end.is_some());
        self.input.consume(used);
        Ok(if end.is_some() { Part::Line(self.close()) } else { Part::Open })
    }

    fn close(&mut self) -> Result<Vec<u8>, TooLong> {
        let (mut line, mut bytes) = (std::mem::take(&mut self.line), self.bytes.take().unwrap_or(0));
        if line.last() == Some(&b'\r') {
            line.pop();
            bytes -= 1;
        }
        if bytes > self.most as u64 { Err(TooLong { bytes, most: self.most }) } else { Ok(line) }
    }
}

/// What was read next.
enum Part {
    /// Of a line that goes on.
    Open,
    /// To the end of a line.
    Line(Result<Vec<u8>, TooLong>),
    /// The input has ended.
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its parts one at a time, as a pipe does.
    struct Pipe(Vec<io::Result<&'static [u8]>>);

    impl Read for Pipe {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let part = self.0.remove(0)?;
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    fn chunks(parts: Vec<io::Result<&'static [u8]>>) -> Vec<Result<(u64, Vec<String>), String>> {
        chunks_of(parts, 6)
    }

    fn chunks_of(
        parts: Vec<io::Result<&'static [u8]>>,
        most: usize,
    ) -> Vec<Result<(u64, Vec<String>), String>> {
        let mut lines = Lines::new(Pipe(parts), most);
        let mut chunks = Vec::new();
        loop {
            let line = |line: Result<Vec<u8>, TooLong>| match line {
                Ok(bytes) => String::from_utf8(bytes).unwrap(),
                Err(error) => error.to_string(),
            };
            match lines.next_chunk() {
                Ok(None) => return chunks,
                Ok(Some(Chunk { first, lines })) => {
                    chunks.push(Ok((first, lines.into_iter().map(line).collect())));
                }
                Err(error) => {
                    chunks.push(Err(error.to_string()));
                    return chunks;
                }
            }
        }
    }

    fn chunk(first: u64, lines: &[&str]) -> Result<(u64, Vec<String>), String> {
        Ok((first, lines.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn what_is_there_is_a_chunk() {
        let parts = [&b"a\n\nb\r\nc"[..], b"d", b"d\ne\n", b"f"];
        assert_eq!(
            chunks(Vec::from(parts.map(Ok))),
            [chunk(1, &["a", "", "b"]), chunk(4, &["cdd", "e"]), chunk(6, &["f"])]
        );
        assert_eq!(chunks(Vec::new()), []);
        assert_eq!(chunks(vec![Ok(b"\n")]), [chunk(1, &[""])]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let parts = [&b"123456\n123"[..], b"4567\r\n123456\r\n", b"12345678", b"9", b"\nb\n1234567"];
        let long = |bytes| format!("the line has {bytes} bytes, and --max-bytes allows 6");
        let [seven, eight, nine] = [long(7), long(8), long(9)];
        assert_eq!(
            chunks(Vec::from(parts.map(Ok))),
            [
                chunk(1, &["123456"]),
                chunk(2, &[&eight, "123456"]),
                chunk(4, &[&nine, "b"]),
                chunk(6, &[&seven])
            ]
        );
    }

    #[test]
    fn a_byte_order_mark_is_dropped_where_the_input_begins() {
        let mark = "\u{feff}";
        let parts = [&b"\xef\xbb"[..], b"\xbfa\n", b"\xef\xbb\xbfb\n"];
        assert_eq!(chunks(Vec::from(parts.map(Ok))), [chunk(1, &["a"]), chunk(2, &[&format!("{mark}b")])]);
        assert_eq!(chunks(vec![Ok(mark.as_bytes())]), [chunk(1, &[""])]);
    }

    #[test]
    fn any_line_is_kept_where_no_number_is_too_many() {
        assert_eq!(chunks_of(vec![Ok(b"a\r\nb")], usize::MAX), [chunk(1, &["a"]), chunk(2, &["b"])]);
    }

    #[test]
    fn lines_before_a_failure_are_there() {
        let parts =
            vec![Ok(&b"a\nb"[..]), Err(io::ErrorKind::Interrupted.into()), Err(io::Error::other("gone"))];
        assert_eq!(chunks(parts), [chunk(1, &["a"]), Err("gone".into())]);
    }
}
