//! What can go wrong with a blob, in its own words.

use std::error::Error as _;
use std::io;

use renkei_types::{Classify, Digest, Kind, Language, Localised};

use crate::blobs::CHUNK_BYTES_MAX;
use crate::error::kind_of;

/// A blob could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Its bytes are not what was written, or the key is not its key.
    #[error("blob {address} is damaged{}; restore it from a backup", at_chunk(.chunk))]
    Damaged {
        /// The blob.
        address: Digest,
        /// The chunk, from 0; nothing where it lies outside the chunks.
        chunk: Option<u32>,
    },
    /// It was written by a newer renkei.
    #[error("blob {address} has format {found}; use the newer renkei")]
    NewerFormat {
        /// The blob.
        address: Digest,
        /// Its format.
        found: u32,
    },
    /// There is no such blob.
    #[error("blob {address} is not there; restore it from a backup")]
    NotFound {
        /// The blob.
        address: Digest,
    },
    /// A chunk number beyond the last.
    #[error("blob {address} has {chunks} chunks, there is no chunk {chunk}")]
    NoSuchChunk {
        /// The blob.
        address: Digest,
        /// The number asked for.
        chunk: u32,
        /// How many there are.
        chunks: u32,
    },
    /// A chunk over the limit, or more chunks than can be numbered.
    #[error("a chunk of {bytes} bytes; the limit is {CHUNK_BYTES_MAX}")]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
    },
    /// The store refused.
    #[error("the blob store failed: {source}")]
    Store {
        /// Why.
        source: object_store::Error,
    },
    /// The folder of the store refused.
    #[error("{folder}: {source}")]
    Io {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
}

fn at_chunk(chunk: &Option<u32>) -> String {
    chunk.map_or_else(String::new, |chunk| format!(" in chunk {chunk}"))
}

impl BlobError {
    pub(crate) fn store(source: object_store::Error) -> Self {
        Self::Store { source }
    }
}

/// The system's error behind a store's error, if that is where it came from.
fn io_behind(error: &object_store::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        source = error.source();
    }
    None
}

impl Classify for BlobError {
    fn kind(&self) -> Kind {
        match self {
            Self::Damaged { .. } => Kind::Internal,
            Self::NewerFormat { .. } => Kind::Refused,
            Self::NotFound { .. } => Kind::NotFound,
            Self::NoSuchChunk { .. } | Self::TooLarge { .. } => Kind::InvalidArgument,
            Self::Store { source } => io_behind(source).map_or(Kind::Unavailable, kind_of),
            Self::Io { source, .. } => kind_of(source),
        }
    }
}

impl Localised for BlobError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Damaged { address, chunk: None } => {
                format!("blob {address} が壊れています。バックアップから戻してください")
            }
            Self::Damaged { address, chunk: Some(chunk) } => format!(
                "blob {address} のチャンク{chunk}が壊れています。バックアップから戻してください"
            ),
            Self::NewerFormat { address, found } => {
                format!("blob {address} は形式{found}です。新しい renkei を使ってください")
            }
            Self::NotFound { address } => {
                format!("blob {address} がありません。バックアップから戻してください")
            }
            Self::NoSuchChunk { address, chunk, chunks } => {
                format!("blob {address} のチャンクは{chunks}個で、{chunk}番はありません")
            }
            Self::TooLarge { bytes } => {
                format!("チャンクが{bytes}バイトで、上限{CHUNK_BYTES_MAX}を超えています")
            }
            Self::Store { source } => {
                let why = io_behind(source)
                    .map_or_else(|| source.to_string(), |io| io.localised(language));
                format!("blob の保管先でエラーが起きました: {why}")
            }
            Self::Io { folder, source } => format!("{folder}: {}", source.localised(language)),
        }
    }
}
