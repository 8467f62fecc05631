//! How fast the commit point is, beside the raw calls it is made of. Run it alone, in release:
//! `cargo test --release -p renkei-journal --test throughput -- --ignored --nocapture`.

#![expect(clippy::disallowed_methods, reason = "a measurement takes the time itself")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use renkei_journal::{Blobs, DataKey, Frame, Journal as _, LocalJournal, Options, Seq};
use renkei_types::{DataKeyId, Entropy as _, SeededEntropy};

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

#[test]
#[ignore = "a measurement"]
fn appends_beside_raw_appends() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut journal = LocalJournal::open(folder.path(), Options::default()).expect("ours").journal;
    let mut raw = fs_err::File::create(folder.path().join("raw")).expect("a raw file");
    let frame = Frame { leaf: vec![1; 1_000], facts: vec![2; 1_000], sealed: vec![3; 2_096] };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..300 {
        // In turns, so that both see the same neighbours on the machine.
        theirs.push(timed(|| {
            raw.write_all(&[7; 4_096]).expect("a write");
            raw.sync_data().expect("a sync");
        }));
        ours.push(timed(|| {
            journal.append(Seq(number), std::slice::from_ref(&frame)).expect("an append");
        }));
    }
    println!("4 KiB append p50: raw {:?}, journal {:?}", median(theirs), median(ours));
    let group = vec![frame; 256];
    let mut last = journal.last();
    let time = timed(|| {
        for _ in 0..100 {
            last = journal.append(last, &group).expect("an append");
        }
    });
    println!("groups of 256: {:.0} frames/s", 25_600.0 / time.as_secs_f64());
    drop(journal);
    let time = timed(|| {
        LocalJournal::open(folder.path(), Options::default()).expect("ours");
    });
    println!("open and check {} MB: {time:?}", (last.0 * 4_132) / 1_000_000);
    let journal = LocalJournal::open(folder.path(), Options::default()).expect("ours").journal;
    let time = timed(|| {
        for number in (1..=last.0).step_by(13) {
            journal.get(Seq(number)).expect("a frame");
        }
    });
    println!("get: {:?} each", time / u32::try_from(last.0 / 13).expect("few"));
}

#[test]
#[ignore = "a measurement"]
fn blobs_written_and_read() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let blobs = Blobs::local(folder.path(), runtime.handle().clone()).expect("blobs");
    let entropy = SeededEntropy::new(1);
    let key = DataKey::generate(&entropy);
    let mut chunk = vec![0; 1 << 20];
    entropy.fill(&mut chunk);
    let megabytes = 512;
    let mut written = None;
    let time = timed(|| {
        let mut writer = blobs.writer(&key, DataKeyId::from_bytes([1; 16]), &entropy);
        (0..megabytes).for_each(|_| writer.chunk(&chunk).expect("a chunk"));
        written = Some(writer.finish().expect("a blob"));
    });
    let rate = |time: Duration| f64::from(megabytes) * 1.048_576 / time.as_secs_f64();
    println!("blob write, durable: {:.0} MB/s", rate(time));
    let reader = blobs.open(&written.expect("a blob"), &key).expect("the blob");
    let time = timed(|| assert_eq!(reader.chunks().filter(Result::is_ok).count(), 512));
    println!("blob read: {:.0} MB/s", rate(time));
    let time = timed(|| {
        (0..512).for_each(|number| drop(reader.chunk(number).expect("a chunk")));
    });
    println!("blob chunks alone: {:.0} MB/s", rate(time));
    let time = timed(|| {
        let sealed = key.seal(&entropy, b"", &chunk.repeat(64));
        drop(sealed);
    });
    println!("seal alone: {:.0} MB/s", rate(time * 8));
}
