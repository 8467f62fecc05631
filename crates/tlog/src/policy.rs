//! Which checkpoints are believed: by whose log key, and cosigned by how many of which witnesses.
//!
//! One file says it for operator and auditors alike (C2SP tlog-policy), so that both mean the same by "cosigned":
//!
//! ```text
//! log <vkey> [<url>]
//! witness <name> <vkey> [<url>]
//! group <name> any|all|<k> <name>...      each member is a witness or a group from above
//! quorum <name>|none
//! ```
//! Invariant: a policy that reads is one whose quorum can be met, and in which no witness counts twice.

mod error;

use std::path::Path;

use renkei_types::Digest;

pub use self::error::{PolicyError, PolicyFlaw};
use crate::checkpoint::{CheckpointError, CosignerKey, SignedCheckpoint, VerifierKey};

/// A policy is read by people; this is more than any of them reads.
const POLICY_BYTES_MAX: usize = 256 * 1024;

/// What is to be believed of a log.
#[derive(Clone, Debug)]
pub struct Policy {
    digest: Digest,
    logs: Vec<VerifierKey>,
    witnesses: Vec<PolicyWitness>,
    nodes: Vec<Node>,
    /// Which node decides; nothing where no cosignature is asked for.
    quorum: Option<usize>,
}

/// A witness that a policy names.
#[derive(Clone, Debug)]
pub struct PolicyWitness {
    /// Its name in the policy, which means nothing outside of it.
    pub name: String,
    /// Its key.
    pub key: CosignerKey,
    /// Where it is asked, if it is asked over a network.
    pub url: Option<String>,
}

/// What the quorum and groups refer to by name.
#[derive(Clone, Debug)]
struct Node {
    /// Octets: two spellings of a name are two names.
    name: Vec<u8>,
    kind: NodeKind,
    /// Whether it is a member already. A second membership would let one witness count twice.
    taken: bool,
}

#[derive(Clone, Debug)]
enum NodeKind {
    Witness(usize),
    Group { threshold: usize, members: Vec<usize> },
}

/// How a checkpoint stands with a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// The witnesses that have cosigned it, by their names in the policy.
    pub by: Vec<String>,
    /// Whether that is the quorum.
    pub met: bool,
    /// As of when, in seconds since 1970 by the witnesses' clocks: the earliest of the latest cosignatures that the quorum
    /// needs. Nothing where it is not met, or where none is needed.
    pub since: Option<u64>,
}

impl Policy {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let file = path.display().to_string();
        let bytes = fs_err::read(path)
            .map_err(|source| PolicyError::Unreadable { file: file.clone(), source })?;
        Self::parse(&bytes).map_err(|(line, flaw)| PolicyError::Flaw { file, line, flaw })
    }

    /// Reads the bytes of a file; what is wrong is told with its line, from 1.
    pub fn parse(bytes: &[u8]) -> Result<Self, (usize, PolicyFlaw)> {
        if bytes.len() > POLICY_BYTES_MAX {
            return Err((1, PolicyFlaw::TooLong));
        }
        let mut policy = Self {
            digest: Digest::of(bytes),
            logs: Vec::new(),
            witnesses: Vec::new(),
            nodes: Vec::new(),
            quorum: None,
        };
        let mut decided = false;
        let mut last = 0;
        for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            last = number;
            let flaw = |flaw| (number, flaw);
            if line.iter().any(|&byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f) {
                return Err(flaw(PolicyFlaw::ControlCharacter));
            }
            let words = line.split(|&byte| byte == b' ' || byte == b'\t');
            let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with(b"#") => {}
                [b"log", key] | [b"log", key, _] => policy.add_log(key).map_err(flaw)?,
                [b"witness", name, key] => policy.add_witness(name, key, None).map_err(flaw)?,
                [b"witness", name, key, url] => {
                    policy.add_witness(name, key, Some(url)).map_err(flaw)?;
                }
                [b"group", name, threshold, members @ ..] if !members.is_empty() => {
                    policy.add_group(name, threshold, members).map_err(flaw)?;
                }
                [b"quorum", _] if decided => return Err(flaw(PolicyFlaw::SecondQuorum)),
                [b"quorum", b"none"] => decided = true,
                [b"quorum", name] => {
                    policy.quorum = Some(policy.node(name).map_err(flaw)?);
                    decided = true;
                }
                _ => return Err(flaw(PolicyFlaw::UnknownLine)),
            }
        }
        if decided { Ok(policy) } else { Err((last, PolicyFlaw::NoQuorum)) }
    }

    /// By what two copies of a policy are compared: SHA-256 of the file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The keys of the logs it speaks of; none where that is known from elsewhere.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses it names, whether the quorum needs them or not.
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Whether any cosignature is asked for.
    pub fn needs_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// The keys of the witnesses.
    pub fn cosigners(&self) -> Vec<CosignerKey> {
        self.witnesses.iter().map(|witness| witness.key.clone()).collect()
    }

    /// How a checkpoint stands. Cosignatures from after `not_after`, in seconds since 1970, do not count: a witness whose
    /// clock runs ahead would otherwise vouch for days that have not come.
    pub fn standing(
        &self,
        checkpoint: &SignedCheckpoint,
        not_after: Option<u64>,
    ) -> Result<Standing, CheckpointError> {
        let found = checkpoint.cosignatures(&self.cosigners())?;
        let time_of = |witness: &PolicyWitness| {
            let own = found.iter().filter(|cosignature| cosignature.is_by(&witness.key));
            let times = own.map(|cosignature| cosignature.seconds());
            times.filter(|&seconds| not_after.is_none_or(|latest| seconds <= latest)).max()
        };
        let times: Vec<Option<u64>> = self.witnesses.iter().map(time_of).collect();
        let signed = self.witnesses.iter().zip(&times).filter(|(_, time)| time.is_some());
        let by = signed.map(|(witness, _)| witness.name.clone()).collect();
        let since = self.quorum.and_then(|quorum| self.since(quorum, &times));
        Ok(Standing { by, met: self.quorum.is_none() || since.is_some(), since })
    }

    /// Whether those witnesses that are named so are a quorum by themselves; always where none is asked for.
    pub fn is_quorum(&self, named: impl Fn(&str) -> bool) -> bool {
        let heard = |witness: &PolicyWitness| named(&witness.name).then_some(1);
        let heard: Vec<Option<u64>> = self.witnesses.iter().map(heard).collect();
        self.quorum.is_none_or(|quorum| self.since(quorum, &heard).is_some())
    }

    /// As of when a node has witnessed: a group as of the k-th latest of its members.
    fn since(&self, node: usize, times: &[Option<u64>]) -> Option<u64> {
        match &self.nodes[node].kind {
            NodeKind::Witness(witness) => times[*witness],
            NodeKind::Group { threshold, members } => {
                let mut known: Vec<u64> =
                    members.iter().filter_map(|&member| self.since(member, times)).collect();
                known.sort_unstable_by(|one, other| other.cmp(one));
                known.get(threshold.checked_sub(1)?).copied()
            }
        }
    }

    fn add_log(&mut self, key: &[u8]) -> Result<(), PolicyFlaw> {
        let key: VerifierKey = text(key)?.parse().map_err(PolicyFlaw::Key)?;
        if self.logs.iter().any(|known| known.public_bytes() == key.public_bytes()) {
            return Err(PolicyFlaw::RepeatedKey);
        }
        self.logs.push(key);
        Ok(())
    }

    fn add_witness(
        &mut self,
        name: &[u8],
        key: &[u8],
        url: Option<&[u8]>,
    ) -> Result<(), PolicyFlaw> {
        let key: CosignerKey = text(key)?.parse().map_err(PolicyFlaw::Key)?;
        if self.witnesses.iter().any(|known| known.key.public_bytes() == key.public_bytes()) {
            return Err(PolicyFlaw::RepeatedKey);
        }
        self.add_node(name, NodeKind::Witness(self.witnesses.len()))?;
        let url = url.map(|url| String::from_utf8_lossy(url).into_owned());
        let name = String::from_utf8_lossy(name).into_owned();
        self.witnesses.push(PolicyWitness { name, key, url });
        Ok(())
    }

    fn add_group(
        &mut self,
        name: &[u8],
        threshold: &[u8],
        members: &[&[u8]],
    ) -> Result<(), PolicyFlaw> {
        let threshold = match threshold {
            b"any" => 1,
            b"all" => members.len(),
            digits if digits.iter().all(u8::is_ascii_digit) => {
                text(digits)?.parse().map_err(|_| PolicyFlaw::Threshold)?
            }
            _ => return Err(PolicyFlaw::Threshold),
        };
        if !(1..=members.len()).contains(&threshold) {
            return Err(PolicyFlaw::Threshold);
        }
        let mut nodes = Vec::new();
        for member in members {
            let node = self.node(member)?;
            if std::mem::replace(&mut self.nodes[node].taken, true) {
                return Err(PolicyFlaw::MemberTwice);
            }
            nodes.push(node);
        }
        self.add_node(name, NodeKind::Group { threshold, members: nodes })
    }

    fn add_node(&mut self, name: &[u8], kind: NodeKind) -> Result<(), PolicyFlaw> {
        if name == b"none" || self.nodes.iter().any(|known| known.name == name) {
            return Err(PolicyFlaw::RepeatedName);
        }
        self.nodes.push(Node { name: name.to_vec(), kind, taken: false });
        Ok(())
    }

    fn node(&self, name: &[u8]) -> Result<usize, PolicyFlaw> {
        self.nodes.iter().position(|known| known.name == name).ok_or(PolicyFlaw::UnknownName)
    }
}

fn text(bytes: &[u8]) -> Result<&str, PolicyFlaw> {
    std::str::from_utf8(bytes).map_err(|_| PolicyFlaw::UnknownLine)
}

#[cfg(test)]
mod tests;
