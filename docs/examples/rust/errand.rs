//! What every client of a broker needs once: a connection, one request id for the whole errand, and calls that are
//! repeated under it until they are answered.
//!
//! `renkei-api` repeats calls, resumes uploads and knows every reason; an errand only gives its steps ids that follow
//! from its own. So whoever keeps the errand's id can run it again after anything, and nothing is done twice.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use renkei_api::v1::{
    CreateJobRequest, Job, JobStage, OpenListRequest, OpenListResponse, SealRequest, SealResponse,
    Totals, WatchJobRequest,
};
use renkei_api::{ClientFile, Connection, following_request_id, new_request_id, upload};
use renkei_types::{Clock, Entropy, RequestId};

/// How an errand ends.
pub(crate) type Done<T = ()> = Result<T, Told>;

/// Why an errand did not end well, in words: with the code of a reason where the broker gave one.
pub(crate) struct Told(String);

impl<E: Error> From<E> for Told {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

// A program that ends with an error shows it so.
impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The words of the command line.
pub(crate) fn arguments<const N: usize>() -> Done<[String; N]> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    words.try_into().map_err(|_| Told("usage: see the head of this example".to_owned()))
}

/// The system's time and chance.
struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        Duration::try_from(self.now().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
    }
}

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has randomness");
    }
}

/// One errand.
pub(crate) struct Errand {
    connection: Connection,
    id: RequestId,
}

impl Errand {
    /// Begins an errand as whom the client file names.
    pub(crate) fn begin(client: &str) -> Done<Self> {
        let file = ClientFile::read(Path::new(client))?;
        let connection = Connection::open(&file, Arc::new(System))?.with_clock(Arc::new(System));
        Ok(Self { connection, id: new_request_id(&System, &System) })
    }

    /// The id of a step.
    fn step(&self, name: &str) -> String {
        following_request_id(&self.id, name).to_string()
    }

    /// Opens a list of a programme.
    pub(crate) async fn open_list(&self, programme: &str, name: &str) -> Done<OpenListResponse> {
        let request = OpenListRequest {
            request_id: self.step("open"),
            programme_id: programme.to_owned(),
            name: name.to_owned(),
            ..OpenListRequest::default()
        };
        Ok(self.connection.call(request).await?)
    }

    /// Sends a file, from where an earlier run was cut off, and seals it with the lines and yen that the system which wrote
    /// it has counted.
    pub(crate) async fn send(
        &self,
        upload_id: &str,
        file: &str,
        lines: u64,
        yen: u64,
    ) -> Done<SealResponse> {
        let bytes = tokio::fs::File::open(file).await?;
        let sent = upload(&self.connection, upload_id, bytes, |_| {}).await?;
        let request = SealRequest {
            request_id: self.step("seal"),
            upload_id: upload_id.to_owned(),
            bytes: sent.bytes,
            sha256: sent.sha256.as_bytes().to_vec(),
            declared: Some(Totals { lines, yen }),
        };
        Ok(self.connection.call(request).await?)
    }

    /// Links a list to a register and waits for the end.
    pub(crate) async fn link(&self, list: &str, register: &str) -> Done<Job> {
        let request = CreateJobRequest {
            request_id: self.step("link"),
            list_id: list.to_owned(),
            dataset_id: register.to_owned(),
        };
        let job_id = self.connection.call(request).await?.job_id;
        let mut job = self.connection.stream(WatchJobRequest { job_id }).await?;
        while let Some(answer) = job.next().await? {
            let job = answer.job.unwrap_or_default();
            match job.stage() {
                JobStage::Done => return Ok(job),
                JobStage::Failed => return Err(Told(job.reason)),
                JobStage::Unspecified
                | JobStage::Queued
                | JobStage::Reading
                | JobStage::Indexing
                | JobStage::Comparing
                | JobStage::Training
                | JobStage::Assigning
                | JobStage::Writing => {}
            }
        }
        Err(Told("the broker stopped; run this again".to_owned()))
    }
}
