//! What the entries say one after another.
//!
//! Whoever has the log's key can sign anything, and a tree of hashes holds nonsense as well as it holds the truth. So each
//! entry is also held against what a broker writes and never writes otherwise: a leaf whose words are of the closed lists, no
//! earlier than the one before, with an id of its own; behind the end of a fiscal year nothing but the beginning of the next;
//! behind the announcement of a key nothing that the older one signs.
//!
//! Invariant: of each entry 16 bytes are kept, its id, and as many again while the ids are compared.

use std::collections::BTreeSet;

use renkei_types::{Digest, LegalBasis, Reason};

use super::{FirstBad, Flaw};
use crate::checkpoint::VerifierKey;
use crate::leaf::{Leaf, Operation, SeenCheckpoint, UtcMillis};

/// An entry with which a fiscal year begins, and what it says of all before it.
pub(super) struct YearBegin {
    pub(super) entry: u64,
    pub(super) seen: Option<SeenCheckpoint>,
    /// Whether the entry before ends a year.
    pub(super) after_end: bool,
}

/// The entries that were read so far.
pub(super) struct Sequence {
    /// How many there are in all.
    size: u64,
    last_time: UtcMillis,
    last_operation: Option<Operation>,
    years: Vec<YearBegin>,
    /// By what the key that signed must be announced, until it has been.
    unannounced: Option<Digest>,
    /// Keys that came into use after the one that signed.
    later: Vec<Digest>,
    ids: Vec<u128>,
    /// The first entry that does not go with those before it.
    flaw: Option<FirstBad>,
}

/// What all entries together said.
pub(super) struct Told {
    pub(super) flaw: Option<FirstBad>,
    pub(super) years: Vec<YearBegin>,
    /// Whether no entry announces the key that signed.
    pub(super) is_unannounced: bool,
}

impl Sequence {
    pub(super) fn new(size: u64, announced: Option<&VerifierKey>, later: &[VerifierKey]) -> Self {
        let digest = |key: &VerifierKey| Digest::of(key.to_string().as_bytes());
        Self {
            size,
            last_time: UtcMillis::default(),
            last_operation: None,
            years: Vec::new(),
            unannounced: announced.map(digest),
            later: later.iter().map(digest).collect(),
            ids: Vec::new(),
            flaw: None,
        }
    }

    /// Takes the next entry.
    pub(super) fn read(&mut self, at: u64, entry: &[u8]) {
        let flaw = match Leaf::parse(entry) {
            Ok(leaf) => self.take(at, &leaf),
            Err(error) => Some(Flaw::NotALeaf { entry: at, error }),
        };
        if let Some(flaw) = flaw {
            self.flaw.get_or_insert(FirstBad { index: Some(at), flaw });
        }
    }

    fn take(&mut self, at: u64, leaf: &Leaf) -> Option<Flaw> {
        self.ids.push(u128::from_be_bytes(*leaf.id.as_bytes()));
        let goes_back = leaf.t < self.last_time;
        self.last_time = leaf.t;
        let after_end = self.last_operation == Some(Operation::ShardClose);
        self.last_operation = Some(leaf.op);
        if leaf.op == Operation::ShardOpen {
            self.years.push(YearBegin { entry: at, seen: leaf.seen, after_end });
        }
        let mut is_retired = false;
        if leaf.op == Operation::KeyRotate {
            if leaf.cfg == self.unannounced {
                self.unannounced = None;
            }
            // The last thing that a key signs is that another takes its place.
            let goes_on = at + 1 < self.size;
            is_retired = goes_on && leaf.cfg.is_some_and(|cfg| self.later.contains(&cfg));
        }
        if goes_back {
            Some(Flaw::TimeGoesBack { entry: at })
        } else if after_end && leaf.op != Operation::ShardOpen {
            Some(Flaw::YearNotFollowed { entry: at })
        } else if is_retired {
            Some(Flaw::RetiredKey { entry: at })
        } else {
            unknown_word(leaf).map(|field| Flaw::UnknownWord { entry: at, field })
        }
    }

    /// Ends the reading.
    pub(super) fn told(self) -> Told {
        let repeated = self.flaw.is_none().then(|| first_repeated(&self.ids)).flatten();
        let repeated = repeated.map(|entry| {
            let flaw = Flaw::RepeatedId { entry };
            FirstBad { index: Some(entry), flaw }
        });
        let Self { flaw, years, unannounced, .. } = self;
        Told { flaw: flaw.or(repeated), years, is_unannounced: unannounced.is_some() }
    }
}

/// The field whose word is of no list. Both kinds of words are written by a broker alone, so it has them from its lists.
fn unknown_word(leaf: &Leaf) -> Option<&'static str> {
    let is_reason = |code: &str| Reason::ALL.iter().any(|reason| reason.as_str() == code);
    let is_basis =
        |name: &str| LegalBasis::ALL.iter().any(|it| it.as_str().eq_ignore_ascii_case(name));
    if leaf.code.as_ref().is_some_and(|code| !is_reason(code.as_str())) {
        return Some("code");
    }
    leaf.basis.as_ref().is_some_and(|basis| !is_basis(basis.as_str())).then_some("basis")
}

/// The first entry with the id of an earlier one.
fn first_repeated(ids: &[u128]) -> Option<u64> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    let pairs = sorted.windows(2).filter(|pair| pair[0] == pair[1]);
    let repeated: BTreeSet<u128> = pairs.map(|pair| pair[0]).collect();
    let mut seen = BTreeSet::new();
    let mut entries = (0..).zip(ids);
    entries.find(|(_, id)| repeated.contains(id) && !seen.insert(**id)).map(|(entry, _)| entry)
}
