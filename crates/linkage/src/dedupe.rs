//! Dedupe: one file linked to itself, and its records put together person by person.
//!
//! The file is the register and its own list. Three things are unlike a link of two files. A record is not paired with
//! itself. Most records may have no duplicate, or each may have ten, so the rate of matches starts low and has no upper
//! bound of one. And whoever is registered five times makes his own name look five times as common: values are counted a
//! second time, each person's once, when a first round has shown who is whom. Records equal in every value are compared
//! once. Invariant: a pair has one weight, whichever of its records is the line (the greater of the two, since a former
//! name or a name in brackets speaks on the register's side only); nothing depends on the order of the records.

mod deduplication;
mod weigher;

use rayon::prelude::*;
use renkei_types::Clock;

pub use deduplication::{Deduplication, DuplicatePair};
use weigher::Weigher;

use crate::blocking::BlockingIndex;
use crate::candidates::{Compared, Comparer};
use crate::copies::Copies;
use crate::equal_lines::Asker;
use crate::field::Fields;
use crate::household::Household;
use crate::intake::RawRecords;
use crate::job::{LinkError, Stage, StageTimes, Stopped, Watcher};
use crate::met::Met;
use crate::model::{Costs, Model, Purpose, Thresholds, WeightTable};
use crate::pair_training::{self, PatternCounts, Surroundings};
use crate::records::{Normalised, Records, Sides};
use crate::register_index::{RegisterIndex, Serves};
use crate::weight::MatchWeight;
use crate::{repetition, sealing};

/// Pairs below this probability are not shown.
const SHOWN_AT: f64 = 0.04;

/// Records that one task compares.
const CHUNK: usize = 4_096;

/// Pairs that are kept from one pass to the next: sixteen bytes each.
const KEPT_MAX: usize = 1 << 24;

/// So many pairs are kept for each record, on average over those that one task compares: as many as there is room for, of
/// a large file twice as many as most records have, and of a small one no more than are worth it.
fn kept_per_record(records: usize) -> usize {
    (KEPT_MAX / records.max(1)).clamp(8, 64)
}

/// The records of one file, ready to be linked to each other.
#[derive(Debug)]
pub struct Dedupable {
    index: RegisterIndex,
    /// The same records, as lines.
    list: Normalised,
    copies: Copies,
}

/// What is asked of [`dedupe`].
#[derive(Debug)]
pub struct DedupeOptions {
    /// A model to use as it is; trained on the records where there is none.
    pub model: Option<Model>,
    /// Two records are joined if they are one person with at least this probability; the threshold of a model that is
    /// trained. There is no clerk in between, so even odds are where either mistake is as likely as the other.
    pub join_at: f64,
}

impl Default for DedupeOptions {
    fn default() -> Self {
        Self { model: None, join_at: 0.5 }
    }
}

impl Dedupable {
    pub(crate) fn build(
        fields: Fields,
        raw: RawRecords,
        left_out: &[usize],
        model: Option<&Model>,
        clock: &dyn Clock,
    ) -> Self {
        let copies = Copies::find(&raw, left_out);
        let silent = copies.silent();
        let lines = raw.clone();
        let mut roles = RegisterIndex::roles_of(&fields, &raw);
        match model {
            Some(model) => repetition::leave_out_as(model, &fields, &mut roles),
            None => repetition::leave_out(&fields, &mut roles, &raw),
        }
        let index = RegisterIndex::build_with(fields, roles, raw, &silent, Serves::AnyLists, clock);
        let mut list = sealing::list(&index, lines, true);
        list.records.own().forget(&silent);
        Self { index, list, copies }
    }

    /// The index of the records.
    pub fn index(&self) -> &RegisterIndex {
        &self.index
    }
}

/// Links the records to each other.
///
/// # Errors
/// The model does not fit the fields, there are more fields than can be compared, or the watcher asked for a stop.
pub fn dedupe(
    records: Dedupable,
    options: DedupeOptions,
    clock: &dyn Clock,
    watcher: &dyn Watcher,
) -> Result<Deduplication, LinkError> {
    let kept_max = kept_per_record(records.copies.distinct());
    dedupe_keeping(kept_max, records, options, clock, watcher)
}

/// The same, keeping so many pairs for each record from one pass to the next.
fn dedupe_keeping(
    kept_max: usize,
    mut records: Dedupable,
    options: DedupeOptions,
    clock: &dyn Clock,
    watcher: &dyn Watcher,
) -> Result<Deduplication, LinkError> {
    let link = MatchWeight::of_probability(options.join_at);
    let review = MatchWeight::of_probability(SHOWN_AT).min(link);
    let thresholds = Thresholds { link, review, margin: link };
    let chunks = records.copies.distinct().div_ceil(CHUNK);
    let met = (0..chunks).map(|_| Met::new(kept_max)).collect();
    let times = StageTimes::default();
    let mut job = Job { given: options.model, clock, watcher, met, times };
    // Nobody knows yet who is whom, so what people of one household share cannot be counted.
    records.index.household = Household::believed(&records.index.register).into();
    let prior = Model {
        thresholds,
        purpose: Purpose::Dedupe,
        ..records.index.prior_model(Costs::default())
    };
    let mut surroundings = Surroundings::believed(&records.index.household);
    let Found { clusters, .. } = job.round(&records, prior, &mut surroundings)?;
    records.count_people(&clusters);
    let prior = Model {
        thresholds,
        purpose: Purpose::Dedupe,
        ..records.index.prior_model(Costs::default())
    };
    let duplicates = surroundings.duplicates;
    surroundings = Surroundings::believed(&records.index.household);
    surroundings.duplicates = duplicates;
    let Found { model, clusters, pairs, copied } = job.round(&records, prior, &mut surroundings)?;
    let Job { met, times, .. } = job;
    // Every pair was seen from both of its records.
    let candidate_pairs = met.iter().map(Met::pairs).sum::<u64>() / 2;
    let too_common = met.iter().map(Met::too_common).sum();
    Ok(Deduplication {
        clusters,
        model,
        candidate_pairs,
        too_common,
        times,
        records,
        pairs,
        copied,
    })
}

struct Job<'a> {
    given: Option<Model>,
    clock: &'a dyn Clock,
    watcher: &'a dyn Watcher,
    /// Whom the records meet, by [`CHUNK`].
    met: Vec<Met>,
    times: StageTimes,
}

/// What one round has found.
struct Found {
    model: Model,
    clusters: Vec<u32>,
    pairs: Vec<DuplicatePair>,
    copied: Vec<(u32, MatchWeight)>,
}

impl Job<'_> {
    /// Trains a model from the prior, unless one is given, weighs all pairs and puts them together.
    fn round(
        &mut self,
        records: &Dedupable,
        prior: Model,
        surroundings: &mut Surroundings,
    ) -> Result<Found, LinkError> {
        let Self { clock, watcher, .. } = *self;
        let mut last = clock.monotonic();
        let mut lap = || {
            let now = clock.monotonic();
            now.saturating_sub(std::mem::replace(&mut last, now))
        };
        let lines = records.copies.distinct();
        let model = if let Some(given) = &self.given {
            given.serves(Purpose::Dedupe, &records.index.register.comparisons)?;
            given.clone()
        } else {
            let prior = pair_training::start(prior, *surroundings);
            let counts = records.count(&prior, &mut self.met, watcher)?;
            self.times.compare += lap();
            watcher.stage(Stage::Train, 0);
            let RegisterIndex { register, household, .. } = &records.index;
            let comparisons = &register.comparisons;
            let model =
                pair_training::train(&prior, surroundings, comparisons, household, &counts, lines)?;
            // How rare values are is kept from one pass to the next, and goes by these.
            debug_assert_eq!(prior.u(), model.u(), "training leaves strangers as they are");
            self.times.train += lap();
            model
        };
        let (table, u) = (WeightTable::new(&model, lines)?, model.u());
        let weigher = Weigher::new(records, &table, &u);
        let pairs = weigher.pairs(model.thresholds.review, &mut self.met, watcher)?;
        // Values are counted again after a round, and after the last nobody looks.
        self.met.iter_mut().for_each(Met::outdate);
        self.times.compare += lap();
        watcher.go_on()?;
        watcher.stage(Stage::Assign, 0);
        let copied = weigher.copied();
        let clusters = weigher.clusters(&pairs, &copied, &model);
        self.times.assign += lap();
        Ok(Found { model, clusters, pairs, copied })
    }
}

impl Dedupable {
    fn sides(&self) -> Sides<'_> {
        Sides { index: &self.index, list: &self.list, blocking: self.blocking() }
    }

    fn blocking(&self) -> &BlockingIndex {
        self.index.blocking().expect("an index for any list has one of everything")
    }

    /// Counts the patterns of all candidate pairs, each seen from both of its records.
    fn count(
        &self,
        model: &Model,
        met: &mut [Met],
        watcher: &dyn Watcher,
    ) -> Result<PatternCounts, LinkError> {
        let (table, u) = (WeightTable::new(model, self.copies.distinct())?, model.u());
        let comparer = Comparer { sides: self.sides(), radix: table.radix(), u: &u };
        let see = |counts: &mut PatternCounts, _, pair: &Compared| counts.add(pair);
        let mut sum = PatternCounts::default();
        for counts in self.each_chunk(&comparer, met, watcher, see)? {
            sum.add_all(&counts);
        }
        Ok(sum)
    }

    /// Shows every candidate pair but a record with itself to `see`, from both of its records.
    fn each_chunk<T: Default + Send>(
        &self,
        comparer: &Comparer<'_>,
        met: &mut [Met],
        watcher: &dyn Watcher,
        see: impl Fn(&mut T, u32, &Compared) + Sync,
    ) -> Result<Vec<T>, Stopped> {
        let lines: Vec<Asker> = self.copies.originals().map(Asker::from).collect();
        watcher.stage(Stage::Compare, lines.len());
        debug_assert_eq!(lines.len().div_ceil(CHUNK), met.len(), "one for each task");
        let look = |(lines, met): (&[Asker], &mut Met)| {
            watcher.go_on()?;
            let mut found = T::default();
            met.each(comparer, lines, |line, pair| see(&mut found, line, pair));
            watcher.done(lines.len());
            Ok(found)
        };
        lines.par_chunks(CHUNK).zip(met.par_iter_mut()).map(look).collect()
    }

    /// Counts values again: of records of one person, equal values count once; and one record of each person says what
    /// relatives share.
    fn count_people(&mut self, clusters: &[u32]) {
        let again = |records| Normalised {
            records: Records::of(records),
            names: self.index.register.names.above(),
            comparisons: self.index.register.comparisons.iter().map(|own| own.above()).collect(),
            ..Normalised::default()
        };
        let records = self.index.register.records.alone();
        let mut values = records.clone();
        values.forget_repeated(clusters);
        let mut people = records.clone();
        let others = (0..clusters.len()).filter(|&row| clusters[row] as usize != row);
        people.forget(&others.collect::<Vec<_>>());
        let household = Household::count(&again(people));
        let values = again(values);
        self.index.count_again(&values, household);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use renkei_types::{FieldKind, FixedClock};

    use super::*;
    use crate::field::Field;
    use crate::intake::{RegisterIntake, Rows};
    use crate::job::Unwatched;

    /// Each of these people stands there twice, with another letter in the second given name.
    struct Twice(usize);

    impl Rows for Twice {
        fn len(&self) -> usize {
            2 * self.0
        }

        fn id(&self, row: usize) -> &str {
            &"0123456789abcdefghijklmnopqrstuvwxyz"[row % 36..]
        }

        fn text<'a>(&'a self, field: usize, row: usize, scratch: &'a mut String) -> &'a str {
            let (person, is_second) = (row % self.0, row >= self.0);
            *scratch = match field {
                0 => {
                    let family = ["佐藤", "鈴木", "高橋", "田中", "渡辺"][person % 5];
                    let given = ["一郎", "花子", "実枝", "恵", "健二"][person / 5 % 5];
                    format!("{family}　{given}{}", if is_second { "子" } else { "" })
                }
                1 => {
                    format!("{}-{:02}-{:02}", 1950 + person % 40, 1 + person % 11, 1 + person % 23)
                }
                _ => format!("千葉県若葉市寿町{}番{}号", 1 + person % 29, 1 + person % 3),
            };
            scratch
        }
    }

    fn records(people: usize) -> Dedupable {
        let kinds = [FieldKind::PersonName, FieldKind::Date, FieldKind::Address];
        let field = |kind: FieldKind| Field {
            name: kind.to_string(),
            kind,
            in_register: true,
            in_list: true,
        };
        let fields = kinds.map(field).into();
        let mut intake = RegisterIntake::new(Fields { fields, ..Fields::default() });
        intake.extend(&Twice(people));
        intake.seal_for_dedupe(&[], None, &FixedClock(Timestamp::UNIX_EPOCH), &Unwatched)
    }

    fn deduplicated(kept_max: usize) -> Deduplication {
        let (clock, options) = (FixedClock(Timestamp::UNIX_EPOCH), DedupeOptions::default());
        let found = dedupe_keeping(kept_max, records(400), options, &clock, &Unwatched);
        found.expect("no model is given")
    }

    /// Every pair as it is shown in four passes, with values counted otherwise after two of them.
    fn shown(kept_max: usize) -> Vec<Vec<(u32, Compared)>> {
        // More than one task takes at a time.
        let records = records(CHUNK / 2 + 100);
        let prior = records.index.prior_model(Costs::default());
        let table = WeightTable::new(&prior, records.copies.distinct()).expect("three fields");
        let all_alike: Vec<Vec<f64>> =
            prior.u().iter().map(|levels| vec![0.5; levels.len()]).collect();
        let mut met = [Met::new(kept_max), Met::new(kept_max)];
        let pass = |met: &mut [Met], u: &[Vec<f64>]| {
            let comparer = Comparer { sides: records.sides(), radix: table.radix(), u };
            let see = |seen: &mut Vec<(u32, Compared)>, line, pair: &Compared| {
                seen.push((line, *pair));
            };
            let seen = records.each_chunk(&comparer, met, &Unwatched, see);
            seen.expect("nobody stops it").concat()
        };
        let mut passes = vec![pass(&mut met, &prior.u()), pass(&mut met, &prior.u())];
        met.iter_mut().for_each(Met::outdate);
        passes.extend([pass(&mut met, &all_alike), pass(&mut met, &all_alike)]);
        passes
    }

    #[test]
    fn what_is_shown_does_not_depend_on_what_is_kept() {
        let looking_again = shown(0);
        assert_eq!(looking_again[0], looking_again[1]);
        assert_ne!(looking_again[1], looking_again[2], "values are rarer now");
        for kept_max in [1, 1_000] {
            assert!(shown(kept_max) == looking_again, "{kept_max}");
        }
    }

    #[test]
    fn the_result_does_not_depend_on_what_is_kept_from_pass_to_pass() {
        let kept = deduplicated(usize::MAX / CHUNK);
        assert!(kept.pairs().count() >= 400, "{}", kept.pairs().count());
        for kept_max in [0, 1] {
            let found = deduplicated(kept_max);
            assert_eq!(found.candidate_pairs, kept.candidate_pairs);
            assert_eq!(found.too_common, kept.too_common);
            assert_eq!(found.result_digest(), kept.result_digest());
            assert!(found.pairs().eq(kept.pairs()));
            assert_eq!(found.model.digest(), kept.model.digest());
        }
    }
}
