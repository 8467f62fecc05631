//! The broker's witnesses: asked whenever the log has grown, and before it grows after a start.
//!
//! ```text
//! start:  key, log and head fit ─> what was signed last ──> each witness      it knows more, or something else: read only
//! then:   checkpoint ──> each witness ──> its line beside the checkpoint, at least four times in a grace
//! ```
//! Where the quorum is silent at the start and has not cosigned within the grace, nothing is signed until it has been heard, or
//! the grace is over: a store that was put back must not sign before somebody was asked.
//! A witness that refuses the key of a checkpoint is not silent: it is asked what it remembers. What is signed by a key of this
//! log and stands in the store is no other past; what is signed by a key that the store has never had is one.
//! A witness that does not answer stops nothing by itself: releases stop when too few have cosigned for longer than the
//! grace, which the exchange decides. A witness that knows another past stops everything that changes anything.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use renkei_exchange::dispute::{Dispute, is_own_note, signed_last};
use renkei_exchange::{Exchange, StorePaths, WitnessRule};
use renkei_tlog::checkpoint::claimed;
use renkei_tlog::proof::consistency_proof;
use renkei_tlog::{Checkpoint, Policy, PolicyError};
use renkei_types::{Classify, Kind, Language, Localised, with_file};
use renkei_witness::{Answer, NoAnswer, Submission, WitnessClient, WitnessUrlError};

use crate::config::WitnessConfig;
use crate::telemetry;

/// How often a request is made again from the size that a witness names: once if it has missed some, once more if the log
/// grew meanwhile.
const ATTEMPTS: usize = 3;

/// Why witnesses cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum WitnessSetupError {
    /// The policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The file of authorities cannot be read.
    #[error("witness.ca: {0}")]
    Authority(std::io::Error),
    /// The address of a witness cannot be used.
    #[error("witness {name} of the policy: {source}")]
    Url {
        /// Its name in the policy.
        name: String,
        /// What is wrong.
        source: WitnessUrlError,
    },
    /// What was signed last cannot be read.
    #[error("what was signed last cannot be read: {0}")]
    Store(std::io::Error),
}

impl Classify for WitnessSetupError {
    fn kind(&self) -> Kind {
        match self {
            Self::Policy(error) => error.kind(),
            Self::Authority(_) | Self::Url { .. } => Kind::InvalidArgument,
            Self::Store(_) => Kind::Unavailable,
        }
    }
}

impl Localised for WitnessSetupError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::Policy(error) => return error.localised(language),
            Self::Authority(error) => {
                format!("witness.ca を読めません: {}", with_file(error, language))
            }
            Self::Url { name, source } => {
                format!("方針の立会者 {name}: {}", source.localised(language))
            }
            Self::Store(error) => {
                format!("最後に署名した内容を読めません: {}", with_file(error, language))
            }
        };
        language.pick(self.to_string(), japanese)
    }
}

/// A witness that is asked over a network.
struct Asked {
    name: String,
    client: WitnessClient,
    /// The size that it cosigned last, as far as is known.
    known: u64,
}

/// All witnesses of a broker.
pub(crate) struct Witnesses {
    rule: WitnessRule,
    asked: Vec<Asked>,
    interval: Duration,
}

/// What one witness says to a checkpoint.
enum Said {
    /// Lines under a checkpoint.
    Lines {
        /// The checkpoint that was shown.
        note: String,
        /// What the witness answered.
        lines: String,
    },
    /// It knows another past.
    Doubt(Box<Dispute>),
    /// Nothing that could be used; told in the process log.
    Nothing,
}

/// What a witness remembers of the log, where it refuses the key of a checkpoint.
enum Remembers {
    /// A checkpoint that a key of this log has signed.
    Own {
        /// Its size.
        size: u64,
        /// The checkpoint.
        note: String,
    },
    /// A checkpoint of a key that this store has never had.
    Other(Dispute),
    /// It does not tell.
    Untold,
}

impl Witnesses {
    /// Reads the policy and makes a client for each witness that has an address.
    pub(crate) fn open(config: &WitnessConfig) -> Result<Self, WitnessSetupError> {
        let policy = Policy::read(&config.policy)?;
        let authorities = config.ca.as_deref().map(read).transpose()?;
        let mut asked = Vec::new();
        for witness in policy.witnesses() {
            let Some(url) = &witness.url else { continue };
            let name = witness.name.clone();
            let client = WitnessClient::new(url, authorities.as_deref(), config.patience);
            let client =
                client.map_err(|source| WitnessSetupError::Url { name: name.clone(), source })?;
            asked.push(Asked { name, client, known: 0 });
        }
        let rule = WitnessRule { policy: Arc::new(policy), grace: config.grace, unheard: false };
        Ok(Self { rule, asked, interval: config.interval })
    }

    pub(crate) fn rule(&self) -> &WitnessRule {
        &self.rule
    }

    /// Asks every witness about what was signed last, before anything else is signed: one that knows more, or something
    /// else, has seen a past that this store has lost. What it knows is kept with the keys, and the broker starts reading.
    pub(crate) async fn compare(&mut self, paths: &StorePaths) -> Result<(), WitnessSetupError> {
        let (disputes, heard) = self.hear(paths).await?;
        for dispute in disputes {
            tracing::error!(witness = %dispute.witness, "a witness knows more of the log than this store has");
            dispute.keep(paths).map_err(WitnessSetupError::Store)?;
        }
        // Those without an address cannot be asked, so nobody waits for a quorum that needs them.
        let can_be_asked = |name: &str| self.asked.iter().any(|witness| witness.name == name);
        self.rule.unheard = !heard && self.rule.policy.is_quorum(can_be_asked);
        Ok(())
    }

    /// What witnesses say to what was signed last: those that dispute it, and whether the others are a quorum.
    async fn hear(&self, paths: &StorePaths) -> Result<(Vec<Dispute>, bool), WitnessSetupError> {
        let Some(note) = signed_last(paths).map_err(WitnessSetupError::Store)? else {
            return Ok((Vec::new(), true));
        };
        let Ok(ours) = claimed(note.as_bytes()) else { return Ok((Vec::new(), true)) };
        let request = Submission { old_size: ours.size, proof: Vec::new(), note: note.clone() };
        // What an operator has accepted as lost is asked about too: a witness that remembers it knows more than this store has.
        let is_held = holds(paths, note.clone()).await;
        let (request, ours, note) = (&request, &ours, &note);
        let answers = join_all(self.asked.iter().map(|witness| async move {
            let size = match witness.client.add_checkpoint(request).await {
                Ok(Answer::Cosigned(_)) if is_held => return (witness, true, None),
                Ok(Answer::Cosigned(_)) => Some(ours.size),
                Ok(Answer::OtherSize(0)) => return (witness, true, None),
                Ok(Answer::OtherSize(size)) if is_held && size <= ours.size => {
                    return (witness, true, None);
                }
                Ok(Answer::OtherSize(size)) => Some(size),
                Ok(Answer::Inconsistent) => None,
                Err(NoAnswer::KeyRefused) => {
                    return match witness.refused_key(paths, ours, note).await {
                        Remembers::Other(dispute) => (witness, true, Some(dispute)),
                        Remembers::Own { size, note: theirs } => {
                            let known = is_held && size <= ours.size;
                            let known = known || holds(paths, theirs.clone()).await;
                            let dispute = || Dispute {
                                witness: witness.name.clone(),
                                cosigned_size: Some(size),
                                ours: note.clone(),
                                theirs: Some(theirs),
                            };
                            (witness, true, (!known).then(dispute))
                        }
                        Remembers::Untold => (witness, false, None),
                    };
                }
                Err(error) => {
                    tracing::warn!(witness = %witness.name, %error, "a witness was not heard at the start");
                    return (witness, false, None);
                }
            };
            let dispute = witness.doubt(paths, ours, note, size).await;
            // What was signed last may have been put back by hand, and be older than the store.
            let is_known = match dispute.theirs.clone() {
                Some(theirs) => holds(paths, theirs).await,
                None => false,
            };
            (witness, true, (!is_known).then_some(dispute))
        }));
        let answers = answers.await;
        let heard = |name: &str| answers.iter().any(|(it, heard, _)| *heard && it.name == name);
        let is_quorum = self.rule.policy.is_quorum(heard);
        Ok((answers.into_iter().filter_map(|(_, _, dispute)| dispute).collect(), is_quorum))
    }

    /// Asks again while nothing is signed because the quorum was silent; at most for as long as the grace.
    async fn wait_to_be_heard(&self, exchange: &Exchange) {
        let begun = tokio::time::Instant::now();
        while exchange.witnessed().is_held() && !exchange.witnessed().is_disputed() {
            let (disputes, heard) = match self.hear(exchange.paths()).await {
                Ok(heard) => heard,
                Err(error) => {
                    tracing::warn!(%error, "witnesses cannot be asked");
                    (Vec::new(), false)
                }
            };
            for dispute in disputes {
                let witness = dispute.witness.clone();
                if let Err(error) = exchange.dispute(dispute).await {
                    tracing::error!(%witness, %error, "a dispute could not be noted");
                }
            }
            if exchange.witnessed().is_disputed() {
                return;
            }
            if heard || begun.elapsed() > self.rule.grace {
                tracing::warn!(heard, "signing goes on");
                exchange.witnessed().release_signing();
                return;
            }
            tokio::time::sleep(self.interval).await;
        }
    }

    /// Keeps the log cosigned, for as long as it is polled.
    pub(crate) async fn keep_cosigned(mut self, exchange: Exchange) {
        self.wait_to_be_heard(&exchange).await;
        let mut news = exchange.durable();
        // An idle log is shown again: a cosignature of yesterday says nothing of today.
        let idle = (self.rule.grace / 4).max(self.interval);
        while !exchange.witnessed().is_disputed() {
            news.mark_unchanged();
            self.round(&exchange).await;
            if let Some(since) = exchange.witnessed().since() {
                telemetry::log_cosigned(since);
            }
            tokio::time::sleep(self.interval).await;
            if let Ok(Err(_)) = tokio::time::timeout(idle, news.changed()).await {
                return;
            }
        }
    }

    /// Asks every witness once, all at the same time, and hands on what they say.
    async fn round(&mut self, exchange: &Exchange) {
        // A year that ended while nothing was signed is signed with this.
        if exchange.checkpoint().await.is_err() {
            return;
        }
        match exchange.year_to_cosign() {
            // No witness goes back: one that has not come as far as the year's end is shown that first.
            Ok(Some(note)) => {
                let size = claimed(note.as_bytes()).map_or(0, |ended| ended.size);
                self.show(exchange, &note, |witness| witness.known < size).await;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "the final checkpoint of the year cannot be shown")
            }
        }
        let Ok(note) = exchange.checkpoint().await else { return };
        self.show(exchange, &note, |_| true).await;
    }

    /// Shows one checkpoint to those witnesses that it concerns, and hands on what they say.
    async fn show(&mut self, exchange: &Exchange, note: &str, concerns: impl Fn(&Asked) -> bool) {
        let shown = self.asked.iter_mut().filter(|witness| concerns(witness));
        let said = shown.map(|witness| async move {
            let said = witness.ask(exchange, note).await;
            (witness.name.clone(), said)
        });
        let said = join_all(said).await;
        let mut answers: Vec<(String, String)> = Vec::new();
        for (witness, said) in said {
            match said {
                // Lines under one checkpoint are handed on together: alone none of them may be enough.
                Said::Lines { note, lines } => match answers.iter_mut().find(|it| it.0 == note) {
                    Some((_, gathered)) => gathered.push_str(&lines),
                    None => answers.push((note, lines)),
                },
                Said::Doubt(dispute) => {
                    if let Err(error) = exchange.dispute(*dispute).await {
                        tracing::error!(%witness, %error, "a dispute could not be noted");
                    }
                }
                Said::Nothing => {}
            }
        }
        for (note, lines) in answers {
            if let Err(error) = exchange.cosigned("", note + &lines).await {
                tracing::warn!(%error, "cosignatures could not be kept");
            }
        }
    }
}

impl Asked {
    /// Asks for a cosignature, from wherever the witness is.
    async fn ask(&mut self, exchange: &Exchange, note: &str) -> Said {
        let mut note = note.to_owned();
        for _ in 0..ATTEMPTS {
            let Ok(ours) = claimed(note.as_bytes()) else { return Said::Nothing };
            let old = self.known.min(ours.size);
            let size = ours.size;
            let proof = exchange.read_log(move |log| consistency_proof(log, old, size)).await;
            let Ok(Some(proof)) = proof else { return Said::Nothing };
            let request = Submission { old_size: old, proof: proof.hashes, note: note.clone() };
            match self.client.add_checkpoint(&request).await {
                Ok(Answer::Cosigned(lines)) => {
                    self.known = size;
                    return Said::Lines { note, lines };
                }
                Ok(Answer::OtherSize(theirs)) => {
                    self.known = theirs;
                    if theirs > size {
                        // Somebody else may have shown it a checkpoint that is newer than this one.
                        let Ok(newer) = exchange.checkpoint().await else { return Said::Nothing };
                        let grown = claimed(newer.as_bytes()).is_ok_and(|it| it.size >= theirs);
                        if !grown {
                            let paths = exchange.paths();
                            let dispute = self.doubt(paths, &ours, &note, Some(theirs)).await;
                            return Said::Doubt(Box::new(dispute));
                        }
                        note = newer;
                    }
                }
                Ok(Answer::Inconsistent) => {
                    let dispute = self.doubt(exchange.paths(), &ours, &note, None).await;
                    return Said::Doubt(Box::new(dispute));
                }
                Err(NoAnswer::KeyRefused) => {
                    match self.refused_key(exchange.paths(), &ours, &note).await {
                        Remembers::Other(dispute) => return Said::Doubt(Box::new(dispute)),
                        // Held against the log like any other; a past that this log does not have opens a dispute.
                        Remembers::Own { note, .. } => {
                            if let Err(error) = exchange.cosigned(&self.name, note).await {
                                tracing::warn!(witness = %self.name, %error, "what a witness remembers could not be kept");
                            }
                        }
                        Remembers::Untold => {}
                    }
                    return Said::Nothing;
                }
                Err(error) => {
                    tracing::warn!(witness = %self.name, %error, "a witness was not heard");
                    return Said::Nothing;
                }
            }
        }
        tracing::warn!(witness = %self.name, "a witness names another size each time");
        Said::Nothing
    }

    /// What a witness remembers that refuses the key of a checkpoint. That is not silence: it may have cosigned under a newer key,
    /// which this store has lost.
    async fn refused_key(&self, paths: &StorePaths, ours: &Checkpoint, note: &str) -> Remembers {
        let refused = NoAnswer::KeyRefused;
        tracing::error!(witness = %self.name, size = ours.size, "{refused}");
        let theirs = self.client.checkpoint(&ours.origin).await.ok().flatten();
        let known = theirs.and_then(|it| Some((claimed(it.as_bytes()).ok()?.size, it)));
        match known {
            None => Remembers::Untold,
            Some((size, note)) if is_own_note(paths, &note) => Remembers::Own { size, note },
            Some((size, _)) => Remembers::Other(Dispute {
                witness: self.name.clone(),
                cosigned_size: Some(size),
                ours: note.to_owned(),
                theirs: None,
            }),
        }
    }

    /// What is kept of a witness that knows another past, with the checkpoint that it has, if it shows one that this log's key
    /// has signed.
    async fn doubt(
        &self,
        paths: &StorePaths,
        ours: &Checkpoint,
        note: &str,
        cosigned_size: Option<u64>,
    ) -> Dispute {
        let theirs = self.client.checkpoint(&ours.origin).await.ok().flatten();
        let theirs = theirs.filter(|theirs| is_own_note(paths, theirs));
        Dispute { witness: self.name.clone(), cosigned_size, ours: note.to_owned(), theirs }
    }
}

/// Whether the store goes on from a checkpoint, wherever its head stands.
async fn holds(paths: &StorePaths, note: String) -> bool {
    let paths = paths.clone();
    tokio::task::spawn_blocking(move || paths.holds(&note)).await.unwrap_or(false)
}

fn read(path: &Path) -> Result<Vec<u8>, WitnessSetupError> {
    fs_err::read(path).map_err(WitnessSetupError::Authority)
}
