use renkei_types::{Classify as _, Entropy as _, Kind, SeededEntropy};
use tokio::runtime::Runtime;

use super::*;
use crate::blob_layout::HEADER_BYTES;
use crate::blob_reader::BlobReader;

struct Fixture {
    folder: tempfile::TempDir,
    runtime: Runtime,
    key: DataKey,
    id: DataKeyId,
    entropy: SeededEntropy,
}

impl Fixture {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            runtime: Runtime::new().expect("a runtime"),
            key: DataKey::from_bytes([4; 32]),
            id: DataKeyId::from_bytes([6; 16]),
            entropy: SeededEntropy::new(21),
        }
    }

    fn blobs(&self) -> Blobs {
        Blobs::local(self.folder.path(), self.runtime.handle().clone()).expect("blobs")
    }

    fn write(&self, chunks: &[Vec<u8>]) -> BlobRef {
        let mut writer = self.blobs().writer(&self.key, self.id, &self.entropy);
        chunks.iter().for_each(|chunk| writer.chunk(chunk).expect("a chunk"));
        writer.finish().expect("a blob")
    }

    fn open(&self, blob: &BlobRef) -> Result<BlobReader, BlobError> {
        self.blobs().open(blob, &self.key)
    }

    fn read(&self, blob: &BlobRef) -> Result<Vec<Vec<u8>>, BlobError> {
        self.open(blob)?.chunks().collect()
    }

    fn file(&self, blob: &BlobRef) -> PathBuf {
        self.folder.path().join(place(&blob.address).as_ref())
    }

    fn chance(&self, bytes: usize) -> Vec<u8> {
        let mut chance = vec![0; bytes];
        self.entropy.fill(&mut chance);
        chance
    }
}

fn three_chunks() -> Vec<Vec<u8>> {
    vec![b"Sato".to_vec(), Vec::new(), vec![7; 100]]
}

#[test]
fn a_blob_reads_back_and_every_chunk_can_be_read_alone() {
    let fixture = Fixture::new();
    let chunks = three_chunks();
    let blob = fixture.write(&chunks);
    assert_eq!((blob.chunks, blob.bytes), (3, 104));
    assert_eq!(blob.digest, fixture.key.keyed_digest("blob", &chunks.concat()));
    let reader = fixture.open(&blob).expect("the blob");
    for number in [2, 0, 1] {
        assert_eq!(reader.chunk(number).expect("a chunk"), chunks[number as usize]);
    }
    assert!(matches!(reader.chunk(3), Err(BlobError::NoSuchChunk { chunks: 3, .. })));
    assert_eq!(fixture.read(&blob).expect("the chunks"), chunks);
    reader.verify().expect("an intact blob");
    let file = fs_err::read(fixture.file(&blob)).expect("the file");
    assert_eq!(Digest::of(&file), blob.address);
    let text = serde_json::to_string(&blob).expect("JSON");
    assert_eq!(serde_json::from_str::<BlobRef>(&text).expect("a reference"), blob);
}

#[test]
fn an_empty_blob_is_a_blob() {
    let fixture = Fixture::new();
    let blob = fixture.write(&[]);
    assert_eq!((blob.chunks, blob.bytes), (0, 0));
    assert!(fixture.read(&blob).expect("no chunks").is_empty());
}

#[test]
fn a_blob_of_many_parts_goes_through_staging_and_leaves_nothing_there() {
    let fixture = Fixture::new();
    let chunks: Vec<Vec<u8>> = (1..=9).map(|n| fixture.chance(n << 13)).collect();
    let blob = fixture.write(&chunks);
    assert!(blob.bytes > 5 * (64 << 10));
    assert!(fixture.read(&blob).expect("the chunks") == chunks);
    fixture.open(&blob).expect("the blob").verify().expect("an intact blob");
    let staging = fixture.folder.path().join(STAGING);
    assert_eq!(fs_err::read_dir(staging).expect("the folder").count(), 0);
    assert_eq!(fixture.blobs().sweep_staging().expect("a sweep"), 0);
}

#[test]
fn every_flipped_byte_of_a_small_blob_is_found_and_its_chunk_named() {
    let fixture = Fixture::new();
    let blob = fixture.write(&three_chunks());
    let bytes = fs_err::read(fixture.file(&blob)).expect("the file");
    let third = HEADER_BYTES + (4 + 16) + 16;
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x20;
        fs_err::write(fixture.file(&blob), flipped).expect("a damaged file");
        let error = fixture.read(&blob).expect_err("it is damaged");
        assert!(error.to_string().contains(&blob.address.to_string()) || at < 12, "{at}: {error}");
        if at >= third && at < third + 116 {
            assert!(matches!(error, BlobError::Damaged { chunk: Some(2), .. }), "{at}: {error}");
        }
        if at >= HEADER_BYTES && at < third + 116 {
            let reader = fixture.open(&blob).expect("head and index are intact");
            assert!(matches!(reader.verify(), Err(BlobError::Damaged { .. })), "{at}");
        }
    }
    for end in 0..bytes.len() {
        fs_err::write(fixture.file(&blob), &bytes[..end]).expect("a shortened file");
        let error = fixture.read(&blob).expect_err("it is damaged");
        assert!(matches!(error, BlobError::Damaged { .. }), "{end}: {error}");
    }
}

#[test]
fn chunks_cannot_be_moved_between_blobs_or_places() {
    let fixture = Fixture::new();
    let [one, other] = [[1, 2], [1, 2]].map(|bytes| fixture.write(&bytes.map(|b| vec![b; 50])));
    let mut file = fs_err::read(fixture.file(&one)).expect("the file");
    let foreign = fs_err::read(fixture.file(&other)).expect("the file");
    let chunk = HEADER_BYTES..HEADER_BYTES + 66;
    let own = file.clone();
    file[chunk.clone()].copy_from_slice(&foreign[chunk.clone()]);
    fs_err::write(fixture.file(&one), &file).expect("a foreign chunk");
    assert!(matches!(fixture.read(&one), Err(BlobError::Damaged { chunk: Some(0), .. })));
    let mut swapped = own.clone();
    swapped[chunk.clone()].copy_from_slice(&own[chunk.end..chunk.end + 66]);
    fs_err::write(fixture.file(&one), &swapped).expect("swapped chunks");
    assert!(matches!(fixture.read(&one), Err(BlobError::Damaged { chunk: Some(0), .. })));
}

#[test]
fn another_key_opens_nothing() {
    let fixture = Fixture::new();
    let blob = fixture.write(&three_chunks());
    let other = DataKey::from_bytes([5; 32]);
    assert!(fixture.blobs().open(&blob, &other).is_err());
}

#[test]
fn a_deleted_blob_is_gone_and_deleting_it_again_is_no_error() {
    let fixture = Fixture::new();
    let (blobs, blob) = (fixture.blobs(), fixture.write(&three_chunks()));
    assert!(blobs.exists(&blob.address).expect("an answer"));
    assert!(blobs.delete(&blob.address).expect("deleted"));
    assert!(!blobs.exists(&blob.address).expect("an answer"));
    assert!(!blobs.delete(&blob.address).expect("nothing there"));
    let error = fixture.open(&blob).expect_err("it is gone");
    assert_eq!(error.kind(), Kind::NotFound);
}

#[test]
fn what_an_unfinished_writer_left_is_swept_and_blobs_stay() {
    let fixture = Fixture::new();
    let blob = fixture.write(&three_chunks());
    let mut left = fixture.file(&blob).into_os_string();
    left.push("#1");
    fs_err::write(&left, b"half").expect("a leftover beside a blob");
    let staging = fixture.folder.path().join(STAGING);
    fs_err::create_dir_all(&staging).expect("the folder");
    fs_err::write(staging.join("0123"), b"whole").expect("a blob that was never moved");
    fs_err::write(staging.join("4567#1"), b"half").expect("a blob that was never finished");
    assert_eq!(fixture.blobs().sweep_staging().expect("a sweep"), 3);
    assert_eq!(fixture.read(&blob).expect("the chunks"), three_chunks());
}

#[test]
fn too_large_a_chunk_is_refused() {
    let fixture = Fixture::new();
    let mut writer = fixture.blobs().writer(&fixture.key, fixture.id, &fixture.entropy);
    let error = writer.chunk(&vec![0; CHUNK_BYTES_MAX + 1]).expect_err("it is too large");
    assert_eq!(error.kind(), Kind::InvalidArgument);
}
