//! Resumable uploads: a file's own bytes, until the broker says that all of them are durable.
//!
//! ```text
//! file -> chunks of 1 MiB -> at most 8 in flight -> broker
//!             ^ kept until acknowledged <- durable_through
//! ```
//! The file is read once, from its start, because its digest covers every byte; bytes that the broker has from an earlier
//! run are digested and not sent. A chunk is kept until it is durable, so after a cut the broker is asked how far it got
//! and gets the rest. Invariant: the bytes that were digested are the bytes that were sent. Sealing is the caller's.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use renkei_types::{Classify, Digest, Kind, Language, Localised};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::connection::Connection;
use crate::rejection::Rejection;
use crate::retry::Repeats;
use crate::v1::upload_request::Part;
use crate::v1::{GetUploadRequest, UploadChunk, UploadRequest, UploadStart};

/// Bytes of a chunk, but for the last one.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that may be under way without being durable.
const WINDOW_CHUNKS: usize = 8;
/// How often an upload is resumed without any byte having become durable in between.
const RESUMES: Repeats = Repeats(8);
/// How long the broker may take to make a chunk durable.
const ACK_PATIENCE: Duration = Duration::from_secs(60);

/// What was uploaded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Uploaded {
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
}

/// Why an upload did not end.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// The broker says no, or is not there.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The broker has other bytes than this file.
    #[error(
        "the broker has more bytes of this upload than the file: another file was sent; open a new upload"
    )]
    OtherFile,
    /// The upload is sealed, and the file has more bytes.
    #[error("the upload is sealed and cannot grow; open a new upload")]
    Sealed,
    /// The broker takes back what it called durable, or calls durable what it has not got.
    #[error("the broker contradicts itself about the bytes it has; report this to its operator")]
    Contradiction,
}

impl Classify for UploadError {
    fn kind(&self) -> Kind {
        match self {
            Self::Read(_) => Kind::InvalidArgument,
            Self::Rejected(rejection) => rejection.kind(),
            Self::OtherFile | Self::Sealed => Kind::Refused,
            Self::Contradiction => Kind::Internal,
        }
    }
}

impl Localised for UploadError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::Rejected(rejection) => return rejection.localised(language),
            Self::Read(error) => format!("ファイルを読み込めません: {}", error.localised(language)),
            Self::OtherFile => "連携サーバーにはこのファイルより多くのバイトがあります。別のファイルが送られています。新しい受付を開いてください".to_owned(),
            Self::Sealed => "この受付は確定済みのため追加できません。新しい受付を開いてください".to_owned(),
            Self::Contradiction => "保存済みバイト数についての連携サーバーの応答が矛盾しています。運用者に連絡してください".to_owned(),
        };
        language.pick(self.to_string(), japanese)
    }
}

/// Sends a file from its start, or from where an earlier run was cut off. `progress` hears how many bytes are durable.
pub async fn upload(
    connection: &Connection,
    upload_id: &str,
    file: impl AsyncRead + Unpin,
    mut progress: impl FnMut(u64),
) -> Result<Uploaded, UploadError> {
    let mut source = Source::new(file);
    let mut backoff = connection.backoff();
    let mut durable_before = None;
    loop {
        let at = connection.call(GetUploadRequest { upload_id: upload_id.to_owned() }).await?;
        let durable = at.durable_through;
        source.resume_at(durable).await?;
        if durable_before.is_some_and(|before| durable > before) {
            backoff.reset();
        }
        progress(durable);
        if source.is_done() {
            return Ok(source.uploaded());
        }
        if at.sealed {
            return Err(UploadError::Sealed);
        }
        let rejection = match send(connection, upload_id, &mut source, &mut progress).await {
            Ok(()) => return Ok(source.uploaded()),
            Err(UploadError::Rejected(rejection)) => rejection,
            Err(error) => return Err(error),
        };
        let passing = rejection.is_passing() || rejection.leaves_doubt();
        if source.durable > durable {
            backoff.reset();
        }
        if !passing || backoff.attempt() == RESUMES.0 {
            return Err(rejection.into());
        }
        durable_before = Some(source.durable);
        backoff.wait().await;
    }
}

/// One stream: everything that is not durable yet, until all of it is.
async fn send<R: AsyncRead + Unpin>(
    connection: &Connection,
    upload_id: &str,
    source: &mut Source<R>,
    progress: &mut impl FnMut(u64),
) -> Result<(), UploadError> {
    // The window bounds what is queued, so there is always room.
    let (sender, receiver) = mpsc::channel(WINDOW_CHUNKS + 2);
    let start = UploadStart { upload_id: upload_id.to_owned() };
    let sent = sender.send(UploadRequest { part: Some(Part::Start(start)) }).await;
    sent.map_err(|_| Rejection::cut())?;
    let mut sending = Sending { sender: Some(sender), under_way: 0 };
    // The first chunks are queued before the broker is waited for, so that neither side waits for the other.
    sending.fill(source).await?;
    let mut client = connection.records();
    let opened = client.upload(ReceiverStream::new(receiver));
    let mut acks = within_patience(opened).await?.into_inner();
    loop {
        sending.fill(source).await?;
        let Some(ack) = within_patience(acks.message()).await? else {
            return if source.is_done() { Ok(()) } else { Err(Rejection::cut().into()) };
        };
        sending.under_way -= source.acknowledge(ack.durable_through)?;
        progress(source.durable);
        if source.is_done() {
            return Ok(());
        }
    }
}

/// The sending half of one stream.
struct Sending {
    /// Nothing once the end of the file is queued, which ends the stream.
    sender: Option<mpsc::Sender<UploadRequest>>,
    /// How many of the pending chunks are queued.
    under_way: usize,
}

impl Sending {
    /// Queues what the window allows.
    async fn fill<R: AsyncRead + Unpin>(
        &mut self,
        source: &mut Source<R>,
    ) -> Result<(), UploadError> {
        while let Some(sender) = &self.sender
            && self.under_way < WINDOW_CHUNKS
        {
            if self.under_way == source.pending.len() && !source.read_chunk().await? {
                self.sender = None;
                return Ok(());
            }
            let chunk = source.pending[self.under_way].message();
            self.under_way += 1;
            if sender.send(UploadRequest { part: Some(Part::Chunk(chunk)) }).await.is_err() {
                // The stream is gone; its last answer says why.
                self.sender = None;
            }
        }
        Ok(())
    }
}

async fn within_patience<T>(
    answer: impl Future<Output = Result<T, tonic::Status>>,
) -> Result<T, Rejection> {
    match tokio::time::timeout(ACK_PATIENCE, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Rejection::too_late()),
    }
}

/// Bytes that are not durable yet.
struct Pending {
    offset: u64,
    data: Bytes,
}

impl Pending {
    fn end(&self) -> u64 {
        self.offset + self.data.len() as u64
    }

    fn message(&self) -> UploadChunk {
        let crc32c = crc32c::crc32c(&self.data);
        UploadChunk { offset: self.offset, crc32c, data: self.data.clone() }
    }
}

/// The file, digested as it is read, and what of it is under way.
struct Source<R> {
    file: R,
    hash: Sha256,
    read: u64,
    ended: bool,
    durable: u64,
    pending: VecDeque<Pending>,
}

impl<R: AsyncRead + Unpin> Source<R> {
    fn new(file: R) -> Self {
        Self {
            file,
            hash: Sha256::new(),
            read: 0,
            ended: false,
            durable: 0,
            pending: VecDeque::new(),
        }
    }

    /// Whether every byte is durable.
    fn is_done(&self) -> bool {
        self.ended && self.durable == self.read
    }

    fn uploaded(&self) -> Uploaded {
        let sha256 = Digest::from_bytes(self.hash.clone().finalize().into());
        Uploaded { bytes: self.read, sha256 }
    }

    /// The broker has the bytes before `durable`.
    async fn resume_at(&mut self, durable: u64) -> Result<(), UploadError> {
        while self.read < durable {
            // Nothing that was read is wanted any more.
            self.pending.clear();
            if !self.read_chunk().await? {
                return Err(UploadError::OtherFile);
            }
        }
        self.acknowledge(durable)?;
        // Whether there is more to send is known only once it was looked for.
        if self.pending.is_empty() && !self.ended {
            self.read_chunk().await?;
        }
        Ok(())
    }

    /// Drops what is durable; answers how many chunks that were.
    fn acknowledge(&mut self, durable: u64) -> Result<usize, UploadError> {
        if durable < self.durable || durable > self.read {
            return Err(UploadError::Contradiction);
        }
        self.durable = durable;
        let before = self.pending.len();
        while self.pending.front().is_some_and(|chunk| chunk.end() <= durable) {
            self.pending.pop_front();
        }
        if let Some(chunk) = self.pending.front_mut()
            && chunk.offset < durable
        {
            // Less than a chunk, which is at most 1 MiB.
            let known = usize::try_from(durable - chunk.offset).unwrap_or(chunk.data.len());
            chunk.data = chunk.data.slice(known..);
            chunk.offset = durable;
        }
        Ok(before - self.pending.len())
    }

    /// Reads and digests the next chunk; answers whether there was one.
    async fn read_chunk(&mut self) -> Result<bool, std::io::Error> {
        let mut data = BytesMut::with_capacity(CHUNK_BYTES);
        while !self.ended && data.len() < CHUNK_BYTES {
            let room = (CHUNK_BYTES - data.len()) as u64;
            let mut limited = (&mut self.file).take(room);
            self.ended = limited.read_buf(&mut data).await? == 0;
        }
        if data.is_empty() {
            return Ok(false);
        }
        let data = data.freeze();
        self.hash.update(&data);
        let offset = self.read;
        self.read += data.len() as u64;
        self.pending.push_back(Pending { offset, data });
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
