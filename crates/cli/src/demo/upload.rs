//! Files into the broker: opened, sent, sealed with the totals of the system that made them.

use std::path::Path;

use renkei_api::upload;
use renkei_api::v1::{
    FileShape, OpenListRequest, OpenUploadRequest, ReportProtectedRequest, SealRequest,
    SealResponse, Totals,
};

use super::city::{City, Client};
use super::directory::Directory;
use crate::failure::{CommandError, Failure};
use crate::progress::Progress;

/// The name of the list within its programme.
const LIST_NAME: &str = "list-1";

/// Uploads the register's first snapshot.
pub(super) async fn register(
    city: &City<'_>,
    directory: &Directory,
    file: &Path,
    records: u64,
) -> Result<SealResponse, Failure> {
    let client = city.connect("register")?;
    let call = OpenUploadRequest {
        request_id: client.request_id(),
        dataset_id: directory.dataset_id.clone(),
        shape: Some(FileShape { encoding: "auto".to_owned(), layout: String::new() }),
        delta: 0,
        protection: 0,
    };
    let upload_id = client.ask(call).await?.upload_id;
    let sealed =
        send_and_seal(city, &client, upload_id, file, Totals { lines: records, yen: 0 }).await?;
    report_nobody_protected(&client, directory).await?;
    Ok(sealed)
}

/// The invented city protects nobody, and says so: without a report every address would be withheld.
async fn report_nobody_protected(client: &Client, directory: &Directory) -> Result<(), Failure> {
    const NOBODY: &[u8] = b"resident_id,protected\n";
    let call = OpenUploadRequest {
        request_id: client.request_id(),
        dataset_id: directory.dataset_id.clone(),
        shape: Some(FileShape { encoding: "utf-8".to_owned(), layout: String::new() }),
        delta: 0,
        protection: 1,
    };
    let upload_id = client.ask(call).await?.upload_id;
    let sent = upload(&client.connection, &upload_id, NOBODY, |_| {}).await?;
    let call = ReportProtectedRequest {
        request_id: client.request_id(),
        upload_id,
        bytes: sent.bytes,
        sha256: sent.sha256.as_bytes().to_vec(),
        records: 0,
    };
    client.ask(call).await?;
    Ok(())
}

/// A list that is sealed.
pub(super) struct SealedList {
    pub(super) list_id: String,
    pub(super) sealed: SealResponse,
}

/// Uploads the list.
pub(super) async fn list(
    city: &City<'_>,
    directory: &Directory,
    file: &Path,
    declared: Totals,
) -> Result<SealedList, Failure> {
    let client = city.connect("payments")?;
    let call = OpenListRequest {
        request_id: client.request_id(),
        programme_id: directory.programme_id.clone(),
        name: LIST_NAME.to_owned(),
        encoding: "auto".to_owned(),
        layout: String::new(),
        ..OpenListRequest::default()
    };
    let opened = client.ask(call).await?;
    let sealed = send_and_seal(city, &client, opened.upload_id, file, declared).await?;
    Ok(SealedList { list_id: opened.list_id, sealed })
}

async fn send_and_seal(
    city: &City<'_>,
    client: &Client,
    upload_id: String,
    path: &Path,
    declared: Totals,
) -> Result<SealResponse, Failure> {
    let unreadable = |error| CommandError::file(path, error);
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let bytes = file.metadata().await.map_err(unreadable)?.len();
    let progress = Progress::bytes(city.environment, "uploading", "送信", bytes);
    let sent = upload(&client.connection, &upload_id, file, |at| progress.set(at)).await?;
    drop(progress);
    let call = SealRequest {
        request_id: client.request_id(),
        upload_id,
        bytes: sent.bytes,
        sha256: sent.sha256.as_bytes().to_vec(),
        declared: Some(declared),
    };
    client.ask(call).await
}
