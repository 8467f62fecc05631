//! The tamperings, one sentence each, with what our verifier must name.
//!
//! All start from a log of 600 entries: two full bundles and one of 88, tiles alike, and one tile above with two hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use renkei_tlog::Leaf;
use renkei_tlog::leaf::{Operation, SeenCheckpoint};

use crate::bundle::{Bundle, Log};

/// One way to tamper with a bundle.
pub(crate) struct Mutation {
    /// What was done.
    pub(crate) name: &'static str,
    /// The file or entry that must be named.
    pub(crate) names: &'static str,
    /// Whether the formats forbid it, so that any reader of them must notice. If not, it is a promise of our own.
    pub(crate) concerns_published_formats: bool,
    pub(crate) apply: fn(&mut Bundle),
}

const fn published(name: &'static str, names: &'static str, apply: fn(&mut Bundle)) -> Mutation {
    Mutation { name, names, concerns_published_formats: true, apply }
}

const fn ours(name: &'static str, names: &'static str, apply: fn(&mut Bundle)) -> Mutation {
    Mutation { name, names, concerns_published_formats: false, apply }
}

const FIRST: &str = "tile/entries/000";
const SECOND: &str = "tile/entries/001";
const LAST: &str = "tile/entries/002.p/88";
const HASHES: &str = "tile/0/000";
const LAST_HASHES: &str = "tile/0/002.p/88";
const TOP: &str = "tile/1/000.p/2";

pub(crate) const MUTATIONS: &[Mutation] = &[
    // The checkpoint.
    published("a letter of the log's name is changed", "checkpoint", |bundle| {
        bundle.note(|note| note.replacen("kita", "kida", 1));
    }),
    published("the size is one more than was signed", "checkpoint", |bundle| {
        bundle.note(|note| note.replacen("\n600\n", "\n601\n", 1));
    }),
    published("the size is one less than was signed", "checkpoint", |bundle| {
        bundle.note(|note| note.replacen("\n600\n", "\n599\n", 1));
    }),
    published("the size is written with a zero before it", "checkpoint", |bundle| {
        bundle.note(|note| note.replacen("\n600\n", "\n0600\n", 1));
    }),
    published("the root of another past stands under our signature", "checkpoint", |bundle| {
        let other = Log::of_another_past().bundle(600);
        let root = |bundle: &Bundle| {
            let note =
                String::from_utf8_lossy(bundle.file("checkpoint").expect("a note")).into_owned();
            note.lines().nth(2).expect("a root").to_owned()
        };
        let (old, new) = (root(bundle), root(&other));
        bundle.note(|note| note.replacen(&old, &new, 1));
    }),
    published("a bit of the signature is flipped", "checkpoint", |bundle| {
        signature(bundle, |bytes| bytes[20] ^= 4);
    }),
    published("the signature is the same number in a second spelling", "checkpoint", |bundle| {
        signature(bundle, |bytes| add_group_order(&mut bytes[36..]));
    }),
    published("the signature's text has loose bits at its end", "checkpoint", |bundle| {
        // 68 bytes end with `=`, before which two bits of the last letter mean nothing.
        bundle.note(|note| {
            let text = note.strip_suffix("=\n").expect("padding");
            let (text, last) = text.split_at(text.len() - 1);
            let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let place = letters.find(last).expect("a letter");
            format!("{text}{}=\n", &letters[place + 1..place + 2])
        });
    }),
    published("the signature is cut short", "checkpoint", |bundle| {
        signature(bundle, |bytes| bytes.truncate(60));
    }),
    published("the key id before the signature is another", "checkpoint", |bundle| {
        signature(bundle, |bytes| bytes[0] ^= 1);
    }),
    published("the line of the signature is gone", "checkpoint", |bundle| {
        bundle.note(|note| note.split_inclusive('\n').take(4).collect());
    }),
    ours("a second line of our key has a wrong signature", "checkpoint", |bundle| {
        let whole = bundle.clone();
        signature(bundle, |bytes| bytes[40] ^= 1);
        let bad = String::from_utf8(bundle.file("checkpoint").expect("a note").to_vec());
        let bad = bad.expect("text").lines().last().expect("a line").to_owned();
        bundle.take(&whole, "checkpoint");
        bundle.note(|note| format!("{note}{bad}\n"));
    }),
    published("a line of a stranger has no signature", "checkpoint", |bundle| {
        bundle.note(|note| format!("{note}\u{2014} pref.example/w AAAAAA==\n"));
    }),
    published(
        "lines of strangers make it longer than a checkpoint may be",
        "checkpoint",
        |bundle| {
            let line = "\u{2014} pref.example/w AAAAAAAAAAAA\n";
            bundle.note(|note| note + &line.repeat(128 * 1024 / line.len()));
        },
    ),
    published("a line of a stranger is no base64", "checkpoint", |bundle| {
        bundle.note(|note| format!("{note}\u{2014} pref.example/w AAAAAAAA*\n"));
    }),
    published("a line of a stranger has a name that no key can have", "checkpoint", |bundle| {
        bundle.note(|note| format!("{note}\u{2014} pref.example+w AAAAAAAAAAAA\n"));
    }),
    published("the checkpoint is empty", "checkpoint", |bundle| bundle.put("checkpoint", "")),
    published("the checkpoint is missing", "checkpoint", |bundle| bundle.remove("checkpoint")),
    published("the lines end as those of another system do", "checkpoint", |bundle| {
        bundle.note(|note| note.replace('\n', "\r\n"));
    }),
    published("a stranger has signed the same log under our name", "checkpoint", |bundle| {
        *bundle = Log::signed_by_a_stranger().bundle(600);
    }),
    published("our key has signed the same log under another name", "checkpoint", |bundle| {
        *bundle = Log::under_another_name().bundle(600);
    }),
    ours("our key has signed a checkpoint with a fourth line", "checkpoint", |bundle| {
        let text = text_of(bundle);
        bundle.put("checkpoint", Log::ours().sign(&format!("{text}more\n")));
    }),
    published("our key has signed a size with a zero before it", "checkpoint", |bundle| {
        let text = text_of(bundle).replacen("\n600\n", "\n0600\n", 1);
        bundle.put("checkpoint", Log::ours().sign(&text));
    }),
    published("our key has signed one entry more than there is", "tile/", |bundle| {
        let text = text_of(bundle).replacen("\n600\n", "\n601\n", 1);
        bundle.put("checkpoint", Log::ours().sign(&text));
    }),
    published("an older checkpoint is put back", "tile/", |bundle| {
        bundle.take(&Log::ours().bundle(300), "checkpoint");
    }),
    published("a newer checkpoint stands over an older log", "tile/", |bundle| {
        let newest = bundle.clone();
        *bundle = Log::ours().bundle(300);
        bundle.take(&newest, "checkpoint");
    }),
    published("the checkpoint of another past stands over our entries", "checkpoint", |bundle| {
        bundle.take(&Log::of_another_past().bundle(600), "checkpoint");
    }),
    // Entries.
    published("a bit of an entry is flipped", "entry 300 ", |bundle| {
        bundle.entries(SECOND, |entries| entries[44][10] ^= 1);
    }),
    published("an entry is dropped", "entry 300 ", |bundle| {
        bundle.entries(SECOND, |entries| drop(entries.remove(44)));
    }),
    published("the last entry is dropped", "entry 599 ", |bundle| {
        bundle.entries(LAST, |entries| drop(entries.pop()));
    }),
    published("two entries have changed places", "entry 10 ", |bundle| {
        bundle.entries(FIRST, |entries| entries.swap(10, 11));
    }),
    published("an entry stands twice", "entry 11 ", |bundle| {
        bundle.entries(FIRST, |entries| {
            let twice = entries[10].clone();
            entries.insert(11, twice);
        });
    }),
    published("an entry stands in the place of the next", "entry 11 ", |bundle| {
        bundle.entries(FIRST, |entries| entries[11] = entries[10].clone());
    }),
    published("an entry is added at the end", LAST, |bundle| {
        bundle.entries(LAST, |entries| entries.push(Log::ours().leaf(600)));
    }),
    published("an entry of another log stands among ours", "entry 5 ", |bundle| {
        bundle.entries(FIRST, |entries| entries[5] = Log::of_another_past().leaf(5));
    }),
    published("an entry's length is one more", "entry 0 ", |bundle| {
        bundle.change(FIRST, |bytes| bytes[1] += 1);
    }),
    published("a bundle ends within an entry", "entry 255 ", |bundle| {
        bundle.change(FIRST, |bytes| bytes.truncate(bytes.len() - 3));
    }),
    published("a bundle has a byte after its end", FIRST, |bundle| {
        bundle.change(FIRST, |bytes| bytes.push(0));
    }),
    published("a bundle is empty", "entry 256 ", |bundle| bundle.put(SECOND, "")),
    published("a bundle is missing", SECOND, |bundle| bundle.remove(SECOND)),
    published("a bundle of another past stands in the place of ours", "entry 256 ", |bundle| {
        bundle.take(&Log::of_another_past().bundle(600), SECOND);
    }),
    published("two bundles have changed places", "entry 0 ", |bundle| {
        bundle.exchange(FIRST, SECOND);
    }),
    published("a bundle of another past brings its tile along", TOP, |bundle| {
        let other = Log::of_another_past().bundle(600);
        bundle.take(&other, FIRST);
        bundle.take(&other, HASHES);
    }),
    published("all entries and tiles are those of another past", "checkpoint", |bundle| {
        let signed = bundle.clone();
        *bundle = Log::of_another_past().bundle(600);
        bundle.take(&signed, "checkpoint");
    }),
    published("the last bundle and its tile are an hour old", LAST, |bundle| {
        let older = Log::ours().bundle(580);
        for (new, old) in [(LAST, "tile/entries/002.p/68"), (LAST_HASHES, "tile/0/002.p/68")] {
            bundle.remove(new);
            bundle.take(&older, old);
        }
    }),
    // Tiles.
    published("a bit of a hash is flipped", HASHES, |bundle| {
        bundle.change(HASHES, |bytes| bytes[32 * 7] ^= 1);
    }),
    published("two hashes have changed places", HASHES, |bundle| {
        bundle.change(HASHES, |bytes| {
            let (left, right) = bytes.split_at_mut(32);
            left.swap_with_slice(&mut right[..32]);
        });
    }),
    published("a tile is one hash shorter", LAST_HASHES, |bundle| {
        bundle.change(LAST_HASHES, |bytes| bytes.truncate(bytes.len() - 32));
    }),
    published("a tile has one hash more", LAST_HASHES, |bundle| {
        bundle.change(LAST_HASHES, |bytes| bytes.extend([0; 32]));
    }),
    published("a tile is missing", HASHES, |bundle| bundle.remove(HASHES)),
    published("two tiles have changed places", HASHES, |bundle| {
        bundle.exchange(HASHES, "tile/0/001");
    }),
    published("a bit of the tile above is flipped", TOP, |bundle| {
        bundle.change(TOP, |bytes| bytes[40] ^= 1);
    }),
    published("the tile above is missing", TOP, |bundle| bundle.remove(TOP)),
    published("a partial tile claims another width", LAST_HASHES, |bundle| {
        bundle.rename(LAST_HASHES, "tile/0/002.p/87");
    }),
    // What does not belong.
    ours("a partial tile of an older size lies beside", "tile/0/002.p/68", |bundle| {
        bundle.take(&Log::ours().bundle(580), "tile/0/002.p/68");
    }),
    ours("a tile beyond the end lies beside", "tile/0/003", |bundle| {
        bundle.put("tile/0/003", vec![0; 8192]);
    }),
    ours("a file that is no tile lies among them", "tile/0/000.bak", |bundle| {
        bundle.put("tile/0/000.bak", "x");
    }),
    ours("a link to a folder lies among the tiles", "tile/7", |bundle| bundle.link("tile/7", "0")),
    ours("a pipe lies among the tiles, from which nothing ever comes", "tile/pipe", |bundle| {
        bundle.pipe("tile/pipe");
    }),
    ours("a link to nothing lies among the tiles", "tile/0/nothing", |bundle| {
        bundle.link("tile/0/nothing", "gone");
    }),
    published("a link to nothing stands in the place of the checkpoint", "checkpoint", |bundle| {
        bundle.remove("checkpoint");
        bundle.link("checkpoint", "gone");
    }),
    published("a pipe stands in the place of a tile", HASHES, |bundle| {
        bundle.remove(HASHES);
        bundle.pipe(HASHES);
    }),
    // What was signed and should not have been.
    ours("an entry that is no leaf was signed", "entry 3:", |bundle| {
        *bundle = with_third_entry(b"{}".to_vec());
    }),
    ours("an entry was signed that is earlier than the one before it", "entry 3 ", |bundle| {
        *bundle = with_third_entry(Log::ours().leaf(1));
    }),
    ours("an entry was signed that has a space too many", "entry 3:", |bundle| {
        let leaf = String::from_utf8(Log::ours().leaf(3)).expect("text");
        *bundle = with_third_entry(leaf.replacen(':', ": ", 1).into_bytes());
    }),
    ours("an entry was signed with a field that no leaf has", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"op\"", "\"memo\":\"anything\",\"op\"");
    }),
    ours("an entry was signed with such a field within another", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"clk\"", "\"actor\":{\"memo\":\"anything\"},\"clk\"");
    }),
    ours("an entry was signed without a field that all leaves have", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"clk\":\"ok\",", "");
    }),
    ours("an entry was signed that did something unknown", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"QUERY_SINGLE\"", "\"GOSSIP\"");
    }),
    ours("an entry was signed whose reason is free text", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"id\"", "\"code\":\"because I wanted to\",\"id\"");
    }),
    ours("an entry was signed whose reason is of no list", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"id\"", "\"code\":\"BECAUSE\",\"id\"");
    }),
    ours("an entry was signed whose legal basis is of no list", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"clk\"", "\"basis\":\"habit\",\"clk\"");
    }),
    ours("an entry was signed whose purpose has room for words", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"res\"", "\"purpose\":\"for him\",\"res\"");
    }),
    ours("an entry was signed whose purpose ends with a line's end", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"res\"", "\"purpose\":\"benefit\\n\",\"res\"");
    }),
    ours("an entry was signed whose purpose is longer than a leaf", "entry 3:", |bundle| {
        let purpose = format!("\"purpose\":\"{}\",\"res\"", "a".repeat(17_000));
        *bundle = with_third_spelt("\"res\"", &purpose);
    }),
    ours("an entry was signed about a thing of no kind", "entry 3:", |bundle| {
        let person = format!("\"job\":\"person_{}\",\"op\"", "0".repeat(26));
        *bundle = with_third_spelt("\"op\"", &person);
    }),
    ours("an entry was signed whose own id has a letter too many", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"event_", "\"event_0");
    }),
    ours("an entry was signed by a client that is none", "entry 3:", |bundle| {
        let actor = "\"actor\":{\"sys\":\"spiffe://anything at all\"},\"clk\"";
        *bundle = with_third_spelt("\"clk\"", actor);
    }),
    ours("an entry was signed with a part that has nothing in it", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"clk\"", "\"actor\":{},\"clk\"");
    }),
    ours("an entry was signed with a number that its field cannot hold", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"clk\"", "\"att\":4294967296,\"clk\"");
    }),
    ours("an entry was signed with the id of an earlier one", "entry 3 ", |bundle| {
        let earlier = Leaf::parse(&Log::ours().leaf(1)).expect("a leaf").id;
        *bundle = with_third_entry(Log::ours().leaf_with(3, |leaf| leaf.id = earlier));
    }),
    ours("an entry was signed that counts less than nothing", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"id\"", "\"cnt\":{\"in\":-1},\"id\"");
    }),
    ours("an entry was signed whose version is a word", "entry 3:", |bundle| {
        *bundle = with_third_spelt("\"v\":1", "\"v\":true");
    }),
    ours("a year was begun without a word of the one before", "entry 3 ", |bundle| {
        *bundle = with_a_turn_of_the_year(|entries| {
            entries[3] = Log::ours().leaf_with(3, |leaf| leaf.op = Operation::ShardOpen);
        });
    }),
    ours("a year ended and none was begun", "entry 3 ", |bundle| {
        *bundle = with_a_turn_of_the_year(|entries| entries[3] = Log::ours().leaf(3));
    }),
    ours("a year was begun after one that never ended", "entry 3 ", |bundle| {
        *bundle = with_a_turn_of_the_year(|entries| {
            entries[2] = Log::ours().leaf(2);
            let seen = Log::ours().seen(&entries[..3]);
            entries[3] = begins_after(seen);
        });
    }),
    ours("a year was begun that names a smaller one before it", "entry 3 ", |bundle| {
        *bundle = with_a_turn_of_the_year(|entries| {
            entries[3] = begins_after(Log::ours().seen(&entries[..2]));
        });
    }),
    ours("a year was begun that names another past", "entry 3 ", |bundle| {
        *bundle = with_a_turn_of_the_year(|entries| {
            let other: Vec<_> = (0..3).map(|index| Log::of_another_past().leaf(index)).collect();
            entries[3] = begins_after(Log::ours().seen(&other));
        });
    }),
];

/// A log of our key whose entry 3 has other letters.
pub(crate) fn with_third_spelt(letters: &str, others: &str) -> Bundle {
    let leaf = String::from_utf8(Log::ours().leaf(3)).expect("text");
    with_third_entry(leaf.replacen(letters, others, 1).into_bytes())
}

/// The entry 3 that begins a year and says so of the one before.
fn begins_after(seen: SeenCheckpoint) -> Vec<u8> {
    let begin = |leaf: &mut Leaf| (leaf.op, leaf.seen) = (Operation::ShardOpen, Some(seen));
    Log::ours().leaf_with(3, begin)
}

/// A log of our key in which a year ends with entry 2 and the next one begins with entry 3; or something like it.
pub(crate) fn with_a_turn_of_the_year(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Bundle {
    let mut entries: Vec<Vec<u8>> = (0..10).map(|index| Log::ours().leaf(index)).collect();
    entries[2] = Log::ours().leaf_with(2, |leaf| leaf.op = Operation::ShardClose);
    entries[3] = begins_after(Log::ours().seen(&entries[..3]));
    change(&mut entries);
    Log::ours().bundle_of(&entries)
}

/// A log of our key whose entry 3 is another.
fn with_third_entry(entry: Vec<u8>) -> Bundle {
    let mut entries: Vec<Vec<u8>> = (0..10).map(|index| Log::ours().leaf(index)).collect();
    entries[3] = entry;
    Log::ours().bundle_of(&entries)
}

/// The three lines that were signed.
fn text_of(bundle: &Bundle) -> String {
    let note = bundle.file("checkpoint").expect("a note").to_vec();
    String::from_utf8(note).expect("text").split_inclusive('\n').take(3).collect()
}

/// Changes the bytes of the signature: four of the key id, 32 of the point, 32 of the number.
fn signature(bundle: &mut Bundle, change: impl FnOnce(&mut Vec<u8>)) {
    bundle.note(|note| {
        let (rest, text) = note.trim_end().rsplit_once(' ').expect("a signature");
        let mut bytes = STANDARD.decode(text).expect("base64");
        change(&mut bytes);
        format!("{rest} {}\n", STANDARD.encode(bytes))
    });
}

/// Adds the order of Ed25519's group to a number, least byte first: careless verifiers accept both.
fn add_group_order(number: &mut [u8]) {
    // 2^252 + 27742317777372353535851937790883648493
    let mut order = [0; 32];
    order[..16]
        .copy_from_slice(&27_742_317_777_372_353_535_851_937_790_883_648_493_u128.to_le_bytes());
    order[31] = 0x10;
    let mut carry = 0;
    for (byte, more) in number.iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
}
