//! What can be wrong with a log's folder, in words that name the entry or the file.

use renkei_types::{Language, Localised};

use crate::checkpoint::CheckpointError;
use crate::leaf::LeafError;
use crate::tile::TilePath;

/// The first thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FirstBad {
    /// The entry, where one is meant.
    pub index: Option<u64>,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong with a log's folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// The checkpoint cannot be relied on.
    Checkpoint(CheckpointError),
    /// A file is not there.
    Missing {
        /// Its path.
        file: String,
    },
    /// Something that is no file stands where one should be: a pipe, a device.
    NotAFile {
        /// Its path.
        file: String,
    },
    /// A file goes on after its end.
    TooLong {
        /// Its path.
        file: String,
    },
    /// A file that the signed tree does not have.
    Superfluous {
        /// Its path.
        file: String,
    },
    /// An entry is not the one whose hash was kept.
    Entry {
        /// The entry.
        entry: u64,
        /// Where it stands.
        bundle: TilePath,
        /// Where its hash stands.
        tile: TilePath,
    },
    /// A bundle ends before or within an entry.
    CutOff {
        /// The entry.
        entry: u64,
        /// The bundle.
        bundle: TilePath,
    },
    /// The entries of a bundle and their tile were both changed: the tiles above say otherwise.
    Below {
        /// The lowest tile that still says so.
        tile: TilePath,
    },
    /// A tile does not hold the hashes of what lies below.
    Tile {
        /// The tile.
        tile: TilePath,
    },
    /// An entry is as it was signed, and is not a leaf.
    NotALeaf {
        /// The entry.
        entry: u64,
        /// Why.
        error: LeafError,
    },
    /// An entry is as it was signed, and earlier than the one before.
    TimeGoesBack {
        /// The entry.
        entry: u64,
    },
    /// An entry begins a fiscal year, and what it says of the year before is not so.
    YearNotContinued {
        /// The entry.
        entry: u64,
    },
    /// An entry stands behind the end of a fiscal year and does not begin the next one.
    YearNotFollowed {
        /// The entry.
        entry: u64,
    },
    /// An entry has the id of an earlier one.
    RepeatedId {
        /// The later entry.
        entry: u64,
    },
    /// An entry has a word that is in no list of this release.
    UnknownWord {
        /// The entry.
        entry: u64,
        /// The field.
        field: &'static str,
    },
    /// Entries and tiles agree with each other and not with the checkpoint.
    Root,
    /// The checkpoint is signed by a later key, and no entry announces it.
    UnannouncedKey,
    /// The checkpoint is signed by a key in whose place another came before the log ends.
    RetiredKey {
        /// The entry that announces the other key.
        entry: u64,
    },
    /// The checkpoint is signed by a log that the policy does not name.
    NotInPolicy,
    /// Fewer witnesses have cosigned the checkpoint than the policy asks for.
    NotCosigned {
        /// Those that have, by their names in the policy.
        by: Vec<String>,
    },
}

impl FirstBad {
    /// The same disagreement between an entry and its tile, when the entry is known to be good.
    pub(super) fn blame_the_tile(self) -> Self {
        let Flaw::Entry { tile, .. } = self.flaw else { return self };
        Self { index: None, flaw: Flaw::Tile { tile } }
    }

    /// The same disagreement between a tile and what lies below, when what lies below is known to be bad.
    pub(super) fn blame_what_is_below(self) -> Self {
        let Flaw::Tile { tile } = self.flaw else { return self };
        Self { index: None, flaw: Flaw::Below { tile } }
    }
}

impl Localised for FirstBad {
    fn localised(&self, language: Language) -> String {
        self.flaw.localised(language)
    }
}

impl Localised for Flaw {
    fn localised(&self, language: Language) -> String {
        let (english, japanese) = match self {
            Self::Checkpoint(error) => (
                format!("checkpoint: {error}"),
                format!("checkpoint: {}", error.localised(language)),
            ),
            Self::Missing { file } => (format!("{file} is missing"), format!("{file}がありません")),
            Self::NotAFile { file } => (
                format!("{file} is a pipe or a device instead of a file"),
                format!("{file}はファイルではなく、パイプまたはデバイスです"),
            ),
            Self::TooLong { file } => (
                format!("{file} has bytes after its end"),
                format!("{file}の終わりの後に余分なデータがあります"),
            ),
            Self::Superfluous { file } => (
                format!("{file} is not part of the signed log"),
                format!("{file}は署名されたログに含まれないファイルです"),
            ),
            Self::Entry { entry, bundle, tile } => (
                format!("entry {entry} in {bundle} is not the one whose hash stands in {tile}"),
                format!("項目{entry}({bundle})が{tile}のハッシュと一致しません"),
            ),
            Self::CutOff { entry, bundle } => (
                format!("entry {entry} is cut off: {bundle} ends too early"),
                format!("項目{entry}が欠けています({bundle}が途中で終わっています)"),
            ),
            Self::Below { tile } => (
                format!("entries below {tile} were changed together with their hashes"),
                format!("{tile}より下の項目がハッシュとともに変更されています"),
            ),
            Self::Tile { tile } => (
                format!("{tile} does not hold the hashes of the entries below it"),
                format!("{tile}が下位の項目のハッシュと一致しません"),
            ),
            Self::NotALeaf { entry, error } => (
                format!("entry {entry}: {error}"),
                format!("項目{entry}: {}", error.localised(language)),
            ),
            Self::TimeGoesBack { entry } => (
                format!("entry {entry} is earlier than the entry before it"),
                format!("項目{entry}の時刻が直前の項目より前です"),
            ),
            Self::YearNotContinued { entry } => (
                format!("entry {entry} begins a fiscal year and does not name how the one before ended"),
                format!("項目{entry}は年度の始まりですが、前年度の最後の状態と一致しません"),
            ),
            Self::YearNotFollowed { entry } => (
                format!("entry {entry} stands behind the end of a fiscal year and does not begin the next one"),
                format!("項目{entry}は年度の終わりの後にありますが、次の年度の始まりではありません"),
            ),
            Self::RepeatedId { entry } => (
                format!("entry {entry} has the id of an earlier entry"),
                format!("項目{entry}の番号（id）が前の項目と同じです"),
            ),
            Self::UnknownWord { entry, field } => (
                format!("entry {entry}: `{field}` is in no list that this release knows; if the log's broker is newer, verify with its release"),
                format!("項目{entry}の「{field}」がこの版の知る語ではありません。サーバーの方が新しい場合は、その版で検証してください"),
            ),
            Self::UnannouncedKey => (
                "checkpoint: signed by a later key that no entry of the log announces; ask the operator, and rely on the older key until it is explained"
                    .to_owned(),
                "checkpoint: 後の鍵で署名されていますが、その鍵への交換がログに記録されていません。運用者に確認し、説明があるまで旧い鍵だけを信頼してください"
                    .to_owned(),
            ),
            Self::RetiredKey { entry } => (
                format!("checkpoint: signed by a replaced key: entry {entry} announces the next one, and the log goes on; the old key may have been stolen"),
                format!("checkpoint: 項目{entry}で交換された旧い鍵で、その後の項目に署名されています。旧い鍵が盗まれたおそれがあります"),
            ),
            Self::NotInPolicy => (
                "checkpoint: signed by a log that the policy does not name; check that policy and key are of this log"
                    .to_owned(),
                "checkpoint: 方針にないログの署名です。方針と鍵がこのログのものか確かめてください".to_owned(),
            ),
            Self::NotCosigned { by } if by.is_empty() => (
                "checkpoint: cosigned by 0 witnesses, which is not the quorum of the policy; ask the operator for `audit bundle --cosigned`"
                    .to_owned(),
                "checkpoint: 連署した立会者がなく、方針の必要数に足りません。運用者に`audit bundle --cosigned`の一式を求めてください"
                    .to_owned(),
            ),
            Self::NotCosigned { by } => (
                format!(
                    "checkpoint: cosigned by {} witnesses ({}), which is not the quorum of the policy; ask the operator for `audit bundle --cosigned`",
                    by.len(), by.join(", ")
                ),
                format!(
                    "checkpoint: 連署した立会者は{}者（{}）で、方針の必要数に足りません。運用者に`audit bundle --cosigned`の一式を求めてください",
                    by.len(), by.join("、")
                ),
            ),
            Self::Root => (
                "checkpoint: entries and tiles agree with each other and not with the signed root"
                    .to_owned(),
                "checkpoint: 項目とタイルは互いに一致しますが、署名されたルートと異なります"
                    .to_owned(),
            ),
        };
        language.pick(english, japanese)
    }
}
