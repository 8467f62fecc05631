//! Which letters the bytes are.
//!
//! A byte order mark decides. Without one the file's own lines are the evidence: of the lines with bytes beyond ASCII,
//! how many cannot be read as UTF-8, how many not as CP932? Fewer wins, a tie is UTF-8. So one broken byte in a UTF-8
//! file leaves thousands of lines that speak for UTF-8, and the broken line is reported instead of the whole file being
//! turned into other letters. The sample is 4 MiB from the first byte beyond ASCII on.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use encoding_rs::{DecoderResult, Encoding as Label, SHIFT_JIS, UTF_16BE, UTF_16LE};

/// How bytes stand for letters.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// Windows-31J, which Excel and vendors call Shift_JIS.
    Cp932,
    /// UTF-16, low byte first: Excel's "Unicode text".
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl Encoding {
    /// The name used in reports and layout files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Cp932 => "cp932",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was found at the start of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Detected {
    /// The encoding.
    pub encoding: Encoding,
    /// Whether a byte order mark stands at the start.
    pub bom: bool,
}

impl Detected {
    /// How many bytes the byte order mark takes.
    pub(crate) fn bom_len(self) -> u64 {
        match (self.bom, self.encoding) {
            (false, _) => 0,
            (true, Encoding::Utf8) => 3,
            (true, Encoding::Cp932 | Encoding::Utf16Le | Encoding::Utf16Be) => 2,
        }
    }
}

const SAMPLE_BYTES: usize = 4 << 20;

/// Looks at a source from its start and leaves it behind the byte order mark.
pub fn detect(source: &mut (impl Read + Seek + ?Sized)) -> io::Result<Detected> {
    source.seek(SeekFrom::Start(0))?;
    let mut sample = Vec::new();
    let mut ascii_lines = 0u64;
    loop {
        let filled = sample.len();
        (&mut *source).take(1 << 16).read_to_end(&mut sample)?;
        let ended = sample.len() == filled;
        if let Some(detected) = detect_mark(&sample).filter(|_| ascii_lines == 0) {
            source.seek(SeekFrom::Start(detected.bom_len()))?;
            return Ok(detected);
        }
        if sample.is_ascii() && !ended {
            // Nothing but ASCII so far: only an unfinished line is kept, so that the first interesting line is whole.
            ascii_lines += 1;
            let keep = memchr::memrchr(b'\n', &sample).map_or(sample.len(), |end| end + 1);
            sample.drain(..keep);
            continue;
        }
        let room = SAMPLE_BYTES.saturating_sub(sample.len());
        (&mut *source).take(room as u64).read_to_end(&mut sample)?;
        let whole = sample.len() < SAMPLE_BYTES;
        source.seek(SeekFrom::Start(0))?;
        return Ok(Detected { encoding: by_evidence(&sample, whole), bom: false });
    }
}

/// The byte order mark, or the line ends of UTF-16 without one.
fn detect_mark(bytes: &[u8]) -> Option<Detected> {
    let marked = |encoding| Some(Detected { encoding, bom: true });
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return marked(Encoding::Utf8);
    }
    if bytes.starts_with(b"\xFF\xFE") {
        return marked(Encoding::Utf16Le);
    }
    if bytes.starts_with(b"\xFE\xFF") {
        return marked(Encoding::Utf16Be);
    }
    let ends_with = |pattern: &[u8; 4]| {
        memchr::memmem::find_iter(bytes, pattern).any(|position| position % 2 == 0)
    };
    if ends_with(b"\r\0\n\0") {
        return Some(Detected { encoding: Encoding::Utf16Le, bom: false });
    }
    if ends_with(b"\0\r\0\n") {
        return Some(Detected { encoding: Encoding::Utf16Be, bom: false });
    }
    None
}

/// UTF-8 or CP932, by the lines of `sample` that cannot be read as either.
pub(crate) fn by_evidence(sample: &[u8], whole: bool) -> Encoding {
    let (mut bad_utf8, mut bad_cp932) = (0u64, 0u64);
    let mut lines = sample.split(|&byte| byte == b'\n' || byte == b'\r').peekable();
    while let Some(line) = lines.next() {
        let cut = !whole && lines.peek().is_none();
        if cut || line.is_ascii() {
            continue;
        }
        bad_utf8 += u64::from(std::str::from_utf8(line).is_err());
        bad_cp932 += u64::from(!is_cp932(line));
    }
    if bad_cp932 < bad_utf8 { Encoding::Cp932 } else { Encoding::Utf8 }
}

fn is_cp932(line: &[u8]) -> bool {
    SHIFT_JIS.decode_without_bom_handling_and_without_replacement(line).is_some()
}

/// The byte that stands in transcoded text for bytes that are no letter. It occurs in no UTF-8, so whatever holds it is
/// reported as undecodable by the one validation that all encodings share.
const UNDECODABLE: u8 = 0xFF;

/// A source as UTF-8. Bytes that are no letter become `0xFF`, which is never valid there; a delimiter behind a
/// broken letter survives, because no ASCII byte is ever swallowed by one.
pub(crate) struct Transcoder<R> {
    source: R,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    ended: bool,
    finished: bool,
}

impl<R: Read> Transcoder<R> {
    /// Reads `source`, which stands behind its byte order mark. UTF-8 needs no transcoder.
    pub(crate) fn new(source: R, encoding: Encoding) -> Option<Self> {
        let label: &'static Label = match encoding {
            Encoding::Utf8 => return None,
            Encoding::Cp932 => SHIFT_JIS,
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
        };
        Some(Self {
            source,
            decoder: label.new_decoder_without_bom_handling(),
            raw: Vec::with_capacity(1 << 18),
            raw_at: 0,
            ended: false,
            finished: false,
        })
    }
}

/// A few of the longest letters in UTF-8: with so much room the decoder always advances.
pub(crate) const ROOM_MIN: usize = 16;

impl<R: Read> Transcoder<R> {
    /// Fills `out`, which has at least [`ROOM_MIN`] bytes, as far as whole letters go; 0 at the end.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.len() < ROOM_MIN {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "buffer too small to decode"));
        }
        // The last byte is kept free for the mark of an undecodable byte.
        let end = out.len() - 1;
        let mut written = 0;
        while !self.finished && out.len() - written >= ROOM_MIN {
            if self.raw_at == self.raw.len() && !self.ended {
                self.raw.clear();
                self.raw_at = 0;
                let limit = self.raw.capacity() as u64;
                self.ended = self.source.by_ref().take(limit).read_to_end(&mut self.raw)? == 0;
            }
            let (result, read, wrote) = self.decoder.decode_to_utf8_without_replacement(
                &self.raw[self.raw_at..],
                &mut out[written..end],
                self.ended,
            );
            self.raw_at += read;
            written += wrote;
            match result {
                DecoderResult::InputEmpty => self.finished = self.ended,
                DecoderResult::OutputFull => break,
                DecoderResult::Malformed(..) => {
                    out[written] = UNDECODABLE;
                    written += 1;
                }
            }
        }
        Ok(written)
    }
}

/// Encodes text as CP932; nothing where a letter does not exist there. Never writes a substitute.
pub fn encode_cp932(text: &str) -> Option<Vec<u8>> {
    let mut encoder = SHIFT_JIS.new_encoder();
    let mut bytes = vec![0; text.len() * 2 + 16];
    let (result, read, written) =
        encoder.encode_from_utf8_without_replacement(text, &mut bytes, true);
    bytes.truncate(written);
    match result {
        encoding_rs::EncoderResult::InputEmpty if read == text.len() => Some(bytes),
        encoding_rs::EncoderResult::InputEmpty
        | encoding_rs::EncoderResult::OutputFull
        | encoding_rs::EncoderResult::Unmappable(_) => None,
    }
}

#[cfg(test)]
mod tests;
