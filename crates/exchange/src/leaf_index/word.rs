//! The words of a leaf that can be asked for, each as a hash of 64 bits.

use serde::Deserialize;

/// What kind of thing a word says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Facet {
    Operation,
    Result,
    Code,
    /// Who did it.
    Actor,
    /// The staff id of who did it.
    Staff,
    /// An agency that did it, or that is the other side.
    Agency,
    Purpose,
    /// Any id of the leaf, or the other side.
    About,
}

/// A word. Two words may share a hash; whoever reads the leaf tells them apart.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Word(u64);

impl Word {
    /// The word of a text (FNV-1a).
    pub(crate) fn new(facet: Facet, text: &str) -> Self {
        let bytes = std::iter::once(facet as u8).chain(text.bytes());
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }
}

/// The words of a leaf, and its time where it has one.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) words: Vec<Word>,
    pub(super) time: Option<u64>,
}

/// The fields of a leaf that have words, as they stand there: a leaf has no escapes.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    actor: Who<'a>,
    #[serde(borrow)]
    agr: Option<Id<'a>>,
    code: Option<&'a str>,
    #[serde(borrow)]
    ds: Option<Id<'a>>,
    job: Option<&'a str>,
    op: &'a str,
    peer: Option<&'a str>,
    purpose: Option<&'a str>,
    res: &'a str,
    #[serde(borrow)]
    snap: Option<Id<'a>>,
    t: u64,
}

#[derive(Default, Deserialize)]
struct Who<'a> {
    agency: Option<&'a str>,
    sys: Option<&'a str>,
    user: Option<&'a str>,
}

#[derive(Deserialize)]
struct Id<'a> {
    id: &'a str,
}

/// Reads what can be asked for. Faster than reading the leaf as a whole, which is done once it is an answer.
pub(super) fn words_of(leaf: &[u8]) -> Words {
    let Ok(named) = serde_json::from_slice::<Named<'_>>(leaf) else { return Words::default() };
    let id = |id: Option<Id<'_>>| id.map(|id| Word::new(Facet::About, id.id));
    let word = |facet, text: Option<&str>| text.map(|text| Word::new(facet, text));
    let words = [
        word(Facet::Operation, Some(named.op)),
        word(Facet::Result, Some(named.res)),
        word(Facet::Code, named.code),
        word(Facet::Actor, named.actor.sys),
        word(Facet::Staff, named.actor.user),
        word(Facet::Agency, named.actor.agency),
        word(Facet::Agency, named.peer.and_then(agency_of)),
        word(Facet::Purpose, named.purpose),
        word(Facet::About, named.job),
        word(Facet::About, named.peer),
        id(named.agr),
        id(named.ds),
        id(named.snap),
    ];
    let mut words: Vec<Word> = words.into_iter().flatten().collect();
    // An agency may stand on both sides, and a word has one place in a leaf.
    words.sort_unstable();
    words.dedup();
    Words { words, time: Some(named.t) }
}

/// The agency of the other side: itself, or the third and fourth part of a client's name.
fn agency_of(peer: &str) -> Option<&str> {
    let Some(path) = peer.strip_prefix("spiffe://") else { return Some(peer) };
    let (_, path) = path.split_once('/')?;
    let end = path.match_indices('/').nth(1)?.0;
    Some(&path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agency_of_a_client_is_found_in_its_name() {
        let client = "spiffe://kita.example/131016/benefits/person/c-1";
        assert_eq!(agency_of(client), Some("131016/benefits"));
        assert_eq!(agency_of("131016/benefits"), Some("131016/benefits"));
        assert_eq!(agency_of("spiffe://kita.example"), None);
    }

    #[test]
    fn the_same_text_is_another_word_in_another_place() {
        assert_ne!(Word::new(Facet::Actor, "x"), Word::new(Facet::About, "x"));
        assert_eq!(Word::new(Facet::About, "x"), Word::new(Facet::About, "x"));
    }
}
