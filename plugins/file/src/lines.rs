//! Lines out of bytes that come in pieces.
//!
//! Enters: pieces of a file. Leaves: whole lines and how many bytes they took. Invariant: the same bytes give the same
//! lines however they were cut; a line ends with `\n`, `\r\n` or a lone `\r`, as in Kafka Connect.

/// Bytes not yet made into lines.
#[derive(Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// First byte that belongs to no line yet.
    start: usize,
    /// Bytes before this one were searched already.
    searched: usize,
}

impl Lines {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.bytes.clear();
        (self.start, self.searched) = (0, 0);
    }

    /// Bytes that wait for their newline.
    pub fn waiting(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Makes room for up to `len` bytes, lets `fill` write some of them, and keeps as many as it says.
    pub fn fill<E>(&mut self, len: usize, fill: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<usize, E> {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        let old = self.bytes.len();
        self.bytes.resize(old + len, 0);
        let filled = fill(&mut self.bytes[old..]);
        self.bytes.truncate(old + *filled.as_ref().unwrap_or(&0));
        filled
    }

    /// The next line without its end, and the bytes it took with its end.
    pub fn next_line(&mut self) -> Option<(&[u8], usize)> {
        let from = self.searched.max(self.start);
        let found = self.bytes[from..].iter().position(|b| matches!(b, b'\n' | b'\r')).map(|at| from + at);
        let Some(end) = found else {
            self.searched = self.bytes.len();
            return None;
        };
        let after = match (self.bytes[end], self.bytes.get(end + 1)) {
            (b'\n', _) => end + 1,
            (_, Some(b'\n')) => end + 2,
            (_, Some(_)) => end + 1,
            (_, None) => {
                self.searched = end;
                return None;
            }
        };
        let start = std::mem::replace(&mut self.start, after);
        self.searched = after;
        Some((&self.bytes[start..end], after - start))
    }

    /// What is left, though it has no newline: the file will not grow any more.
    pub fn rest(&mut self) -> Option<(&[u8], usize)> {
        let start = std::mem::replace(&mut self.start, self.bytes.len());
        self.searched = self.bytes.len();
        let rest = &self.bytes[start..];
        let line = rest.strip_suffix(b"\r").unwrap_or(rest);
        (!rest.is_empty()).then_some((line, rest.len()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn feed(lines: &mut Lines, bytes: &[u8]) {
        let fill = |room: &mut [u8]| {
            room[..bytes.len()].copy_from_slice(bytes);
            Ok::<_, ()>(bytes.len())
        };
        lines.fill(bytes.len() + 3, fill).unwrap();
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_are_cut() {
        let text = b"one\ntwo\r\n\nfour\rfive\r\n\xc5\xbc\nrest";
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            let (mut all, mut taken) = (Vec::new(), 0);
            for piece in [&text[..cut], &text[cut..]] {
                feed(&mut lines, piece);
                while let Some((line, len)) = lines.next_line() {
                    all.push(line.to_vec());
                    taken += len;
                }
            }
            assert_eq!(all, [&b"one"[..], b"two", b"", b"four", b"five", b"\xc5\xbc"], "cut at {cut}");
            assert_eq!((taken, lines.waiting()), (text.len() - 4, 4));
            assert_eq!(lines.rest(), Some((&b"rest"[..], 4)));
            assert_eq!(lines.rest(), None);
        }
    }
}
