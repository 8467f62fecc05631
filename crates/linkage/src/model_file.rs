//! Model files: TOML that a person can read and a reviewer can compare.

use renkei_types::{Classify, Digest, Kind, Language, Localised};
use serde::{Deserialize, Serialize};

mod report;

use report::ReportInFile;

use crate::comparison::Comparison;
use crate::model::{ComparisonModel, ENGINE_VERSION, Level, Model, Nobodies, Purpose, Thresholds};
use crate::pattern::TooManyFields;
use crate::weight::MatchWeight;

/// A model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is no model file. The parser's own words would repeat what stands there, which may be anything.
    #[error("not a model file (line {line})")]
    Unreadable {
        /// The first line that cannot be read, from 1.
        line: usize,
    },
    /// It was made by another engine.
    #[error(
        "the model is for engine version {found}, this is version {ENGINE_VERSION}; train it again"
    )]
    OtherEngine {
        /// The version in the file.
        found: String,
    },
    /// A number in it is no probability, or the digest does not fit.
    #[error("the model file has been changed or damaged: {0}")]
    Damaged(String),
    /// It was trained for other fields.
    #[error("the model does not fit these files: it has `{found}` where `{wanted}` is needed")]
    OtherFields {
        /// What the job compares.
        wanted: String,
        /// What the model has in that place.
        found: String,
    },
    /// It was trained for something else.
    #[error("the model was made by `renkei {0}` and is wrong for `renkei {1}`; train one without --model", found.as_str(), wanted.as_str())]
    OtherPurpose {
        /// What it was trained for.
        found: Purpose,
        /// What is to be done with it.
        wanted: Purpose,
    },
    /// More fields than can be compared.
    #[error(transparent)]
    TooManyFields(#[from] TooManyFields),
}

impl Classify for ModelError {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for ModelError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::Unreadable { line } => format!("モデルファイルとして読めません（{line} 行目）"),
            Self::OtherEngine { found } => format!(
                "モデルはエンジン版 {found} 用です（現在は {ENGINE_VERSION}）。学習し直してください"
            ),
            Self::Damaged(what) => format!("モデルファイルが変更または破損しています: {what}"),
            Self::OtherFields { wanted, found } => format!(
                "モデルの項目がファイルと合いません: `{wanted}` の位置に `{found}` があります"
            ),
            Self::OtherPurpose { found, wanted } => format!(
                "モデルは `renkei {}` で作られたもので、`renkei {}` には使えません。--model なしで学習してください",
                found.as_str(),
                wanted.as_str()
            ),
            Self::TooManyFields(TooManyFields { comparisons, fit }) => format!(
                "項目の比較が {comparisons} 個あり、この種類ではおよそ {fit} 個までです。役に立たない項目を外してください"
            ),
        };
        match language {
            Language::English => self.to_string(),
            Language::Japanese => japanese,
        }
    }
}

/// What is looked at first: a file of another version may have another form.
#[derive(Deserialize)]
struct Head {
    format: String,
    engine: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    engine: String,
    purpose: PurposeInFile,
    digest: String,
    trained_lines: u64,
    match_rate: f64,
    /// Absent where every field is compared. TOML wants it before the tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    repeated: Vec<String>,
    nobodies: NobodiesInFile,
    thresholds: ThresholdsInFile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report: Option<ReportInFile>,
    #[serde(rename = "comparison")]
    comparisons: Vec<ComparisonInFile>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum PurposeInFile {
    Link,
    Dedupe,
}

/// Shares of the lines whose person is not in the register.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NobodiesInFile {
    relatives: f64,
    namesakes: f64,
    elders: f64,
}

/// In bits.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ThresholdsInFile {
    link: f64,
    review: f64,
    margin: f64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ComparisonInFile {
    name: String,
    measure: String,
    #[serde(rename = "level")]
    levels: Vec<LevelInFile>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct LevelInFile {
    name: String,
    m: f64,
    u: f64,
    relative: f64,
    namesake: f64,
    elder: f64,
    support: f64,
    /// log2(m/u), for readers; not read back.
    #[serde(default)]
    weight: f64,
}

const FORMAT: &str = "renkei-model-1";

impl Model {
    /// The model as TOML.
    pub fn to_toml(&self) -> String {
        let level = |level: &Level| LevelInFile {
            name: level.name.clone(),
            m: level.m,
            u: level.u,
            relative: level.relative,
            namesake: level.namesake,
            elder: level.elder,
            support: level.support,
            weight: MatchWeight::log2(level.m / level.u).bits(),
        };
        let comparison = |comparison: &ComparisonModel| ComparisonInFile {
            name: comparison.name.clone(),
            measure: comparison.measure.clone(),
            levels: comparison.levels.iter().map(level).collect(),
        };
        let file = File {
            format: FORMAT.to_owned(),
            engine: ENGINE_VERSION.to_owned(),
            purpose: match self.purpose {
                Purpose::Link => PurposeInFile::Link,
                Purpose::Dedupe => PurposeInFile::Dedupe,
            },
            digest: self.digest().to_string(),
            trained_lines: self.trained_lines,
            match_rate: self.match_rate,
            repeated: self.repeated.clone(),
            nobodies: NobodiesInFile {
                relatives: self.nobodies.relatives,
                namesakes: self.nobodies.namesakes,
                elders: self.nobodies.elders,
            },
            thresholds: ThresholdsInFile {
                link: self.thresholds.link.bits(),
                review: self.thresholds.review.bits(),
                margin: self.thresholds.margin.bits(),
            },
            report: self.report.as_ref().map(ReportInFile::of),
            comparisons: self.comparisons.iter().map(comparison).collect(),
        };
        toml::to_string(&file).expect("a model is plain data")
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// The text is no model, of another engine, or damaged.
    pub fn from_toml(text: &str) -> Result<Self, ModelError> {
        let unreadable = |error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start).min(text.len());
            let line = 1 + text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count();
            ModelError::Unreadable { line }
        };
        let head: Head = toml::from_str(text).map_err(unreadable)?;
        if head.format != FORMAT {
            return Err(ModelError::Damaged(format!("the format is not {FORMAT}")));
        }
        if head.engine != ENGINE_VERSION {
            return Err(ModelError::OtherEngine { found: head.engine });
        }
        let file: File = toml::from_str(text).map_err(unreadable)?;
        let level = |level: LevelInFile| Level {
            name: level.name,
            m: level.m,
            u: level.u,
            relative: level.relative,
            namesake: level.namesake,
            elder: level.elder,
            support: level.support,
        };
        let comparison = |comparison: ComparisonInFile| ComparisonModel {
            name: comparison.name,
            measure: comparison.measure,
            levels: comparison.levels.into_iter().map(level).collect(),
        };
        let model = Self {
            purpose: match file.purpose {
                PurposeInFile::Link => Purpose::Link,
                PurposeInFile::Dedupe => Purpose::Dedupe,
            },
            comparisons: file.comparisons.into_iter().map(comparison).collect(),
            match_rate: file.match_rate,
            nobodies: Nobodies {
                relatives: file.nobodies.relatives,
                namesakes: file.nobodies.namesakes,
                elders: file.nobodies.elders,
            },
            thresholds: Thresholds {
                link: MatchWeight::from_bits(file.thresholds.link),
                review: MatchWeight::from_bits(file.thresholds.review),
                margin: MatchWeight::from_bits(file.thresholds.margin),
            },
            repeated: file.repeated,
            trained_lines: file.trained_lines,
            report: file.report.map(ReportInFile::read).transpose()?,
        };
        model.check()?;
        let written: Digest = file
            .digest
            .parse()
            .map_err(|_| ModelError::Damaged("its digest is no digest".to_owned()))?;
        if written != model.digest() {
            return Err(ModelError::Damaged("its digest does not fit its numbers".to_owned()));
        }
        Ok(model)
    }

    fn check(&self) -> Result<(), ModelError> {
        let probability = |value: f64| value > 0.0 && value <= 1.0;
        for comparison in &self.comparisons {
            for level in &comparison.levels {
                let all = [level.m, level.u, level.relative, level.namesake, level.elder];
                if !all.into_iter().all(probability) {
                    return Err(ModelError::Damaged(format!(
                        "comparison `{}`, level `{}`: not a probability above 0",
                        comparison.name, level.name
                    )));
                }
            }
        }
        let Nobodies { relatives, namesakes, elders } = self.nobodies;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        if !probability(self.match_rate) {
            Err(ModelError::Damaged("match_rate".to_owned()))
        } else if ![relatives, namesakes, elders, self.nobodies.strangers()].into_iter().all(share)
        {
            Err(ModelError::Damaged("nobodies: not shares of a whole".to_owned()))
        } else if self.thresholds.review > self.thresholds.link {
            Err(ModelError::Damaged("thresholds: review is above link".to_owned()))
        } else {
            Ok(())
        }
    }

    /// Whether the model was made for this and for the comparisons of this register.
    pub(crate) fn serves(
        &self,
        purpose: Purpose,
        comparisons: &[Comparison],
    ) -> Result<(), ModelError> {
        if self.purpose != purpose {
            return Err(ModelError::OtherPurpose { found: self.purpose, wanted: purpose });
        }
        self.fits(comparisons)
    }

    /// Whether the model was made for the comparisons of this register.
    fn fits(&self, comparisons: &[Comparison]) -> Result<(), ModelError> {
        let nothing = "nothing".to_owned();
        let wanted = comparisons.iter().map(|comparison| {
            (
                comparison.name.to_string(),
                comparison.measure.name(),
                comparison.measure.levels().len(),
            )
        });
        let mut found = self.comparisons.iter();
        for (name, measure, levels) in wanted {
            match found.next() {
                Some(has)
                    if has.name == name && has.measure == measure && has.levels.len() == levels => {
                }
                has => {
                    return Err(ModelError::OtherFields {
                        wanted: name,
                        found: has.map_or(nothing, |has| has.name.clone()),
                    });
                }
            }
        }
        match found.next() {
            None => Ok(()),
            Some(more) => {
                Err(ModelError::OtherFields { wanted: nothing, found: more.name.clone() })
            }
        }
    }

    /// P(level | strangers) of every comparison.
    pub(crate) fn u(&self) -> Vec<Vec<f64>> {
        let column =
            |comparison: &ComparisonModel| comparison.levels.iter().map(|level| level.u).collect();
        self.comparisons.iter().map(column).collect()
    }
}
