//! A job of 6,000 lines as it might be, for tests and for looking at the page.

use renkei_linkage::{
    BlockingReport, Costs, Decision, Explanation, MatchWeight, Outcome, OutcomeTotals, Profile,
    Term, TermView, Thresholds,
};
use renkei_types::{Digest, Language, Reason, Yen};

use super::{FileSummary, Kind, ReportInput, Waterfall};

/// What a [`ReportInput`] borrows.
pub(crate) struct Sample {
    pub(crate) totals: OutcomeTotals,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) blocking: Vec<BlockingReport>,
}

impl Sample {
    /// Most lines linked, a few dozen in review, some of everything that goes wrong, nobody's decision by hand.
    pub(crate) fn usual() -> Self {
        let mut sample =
            Self { totals: OutcomeTotals::default(), decisions: Vec::new(), blocking: blocking() };
        let kinds = [
            (Outcome::Linked, 5_822, Some((41.0, 17.0)), Reason::AboveLinkThreshold),
            (Outcome::Linked, 31, Some((9.0, 3.0)), Reason::AboveLinkThreshold),
            (Outcome::Review, 38, Some((0.8, 4.6)), Reason::BetweenThresholds),
            (Outcome::Ambiguous, 7, Some((33.0, 14.0)), Reason::SmallMargin),
            (Outcome::Duplicate, 12, Some((40.0, 9.0)), Reason::HeldByLine),
            (Outcome::NotFound, 83, None, Reason::NoCandidate),
            (Outcome::Unlinkable, 2, None, Reason::NoEvidence),
            (Outcome::RejectedInput, 5, None, Reason::IdRepeated),
        ];
        let mut noise = Noise(7);
        for (outcome, lines, weight, reason) in kinds {
            for line in 0..lines {
                // Three draws from -1 to 1 are as good as a bell.
                let bell = noise.draw() + noise.draw() + noise.draw();
                let best = weight.map(|(middle, spread)| {
                    (0, MatchWeight::from_bits(middle + spread * bell / 3.0))
                });
                let nearest = best.map(|(_, weight)| weight);
                sample.decisions.push(Decision { outcome, best, nearest, reason, holder: None });
                let yen = [30_000, 50_000, 100_000][line % 3];
                sample.totals.add(outcome, Some(Yen(yen))).expect("little money");
            }
        }
        sample
    }

    /// A list without lines.
    pub(crate) fn empty() -> Self {
        Self { totals: OutcomeTotals::default(), decisions: Vec::new(), blocking: Vec::new() }
    }

    pub(crate) fn input(&self, language: Language) -> ReportInput<'_> {
        let stages = language.pick(
            ["read", "normalise", "index", "train", "compare", "assign", "write"],
            ["読み込み", "正規化", "索引", "学習", "比較", "割り当て", "書き出し"],
        );
        let seconds = [0.061, 0.214, 0.083, 0.148, 0.092, 0.031, 0.018];
        let some = !self.decisions.is_empty();
        let file = |name: &str, format: &str, rows| FileSummary {
            name: name.to_owned(),
            format: format.to_owned(),
            rows,
        };
        ReportInput {
            language,
            masked: true,
            register: file("住民台帳_2026.csv", "CSV, CP932", 20_000),
            list: file("給付金支給対象者.xlsx", "XLSX", self.decisions.len()),
            totals: &self.totals,
            thresholds: Thresholds::from_costs(Costs::default(), Profile::Residents),
            decisions: &self.decisions,
            blocking: &self.blocking,
            candidate_pairs: if some { 103_412 } else { 0 },
            waterfalls: if some { waterfalls() } else { Vec::new() },
            seconds: stages.into_iter().map(str::to_owned).zip(seconds).collect(),
            peak_rss_bytes: 214 << 20,
            model_digest: Digest::of(b"model"),
            result_digest: Digest::of(b"result"),
            trained_lines: if some { 5_993 } else { 0 },
        }
    }
}

/// Numbers from -1 to 1 that look like chance and are always the same.
struct Noise(u64);

impl Noise {
    fn draw(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((self.0 >> 33) as u32) / f64::from(1u32 << 30) - 1.0
    }
}

fn blocking() -> Vec<BlockingReport> {
    let rule = |rule: &str, pairs, new_pairs, largest_block, blocks_left_out, pairs_left_out| {
        let rule = rule.to_owned();
        BlockingReport { rule, pairs, new_pairs, largest_block, blocks_left_out, pairs_left_out }
    };
    vec![
        rule("birth_date + family name as read", 6_014, 6_014, 4, 0, 0),
        rule("birth_date + family name as written", 5_873, 52, 4, 0, 0),
        rule("birth_date + given name as read", 5_907, 88, 3, 0, 0),
        rule("birth_date + given name as written", 5_731, 12, 3, 0, 0),
        rule("whole name as read + year of birth_date", 5_962, 41, 5, 0, 0),
        rule("whole name as read + month and day of birth_date", 5_920, 7, 3, 0, 0),
        rule("whole name as written + year of birth_date", 5_704, 3, 5, 0, 0),
        rule("whole name as written + month and day of birth_date", 5_688, 0, 3, 0, 0),
        rule("town and house number + given name as read", 5_411, 64, 7, 0, 0),
        rule("town and house number + given name as written", 5_322, 9, 6, 0, 0),
        rule("whole name as read + town", 5_790, 5, 6, 0, 0),
        rule("whole name as written + town", 5_602, 1, 6, 0, 0),
        rule("birth_date + town and house number", 5_488, 31, 4, 0, 0),
        rule("whole name as read", 101_876, 97_085, 40, 37, 2_941),
    ]
}

/// Comparison, level, m, u, frequency in bits.
type Seen = (&'static str, &'static str, f64, f64, f64);

fn explanation(seen: [Seen; 6], relatives: f64, rules: &[&str]) -> Explanation {
    let term = |(comparison, level, m, u, frequency): Seen| Term {
        comparison: comparison.to_owned(),
        view: TermView::Value,
        level: level.to_owned(),
        m,
        u,
        weight: MatchWeight::log2(m / u),
        frequency: MatchWeight::from_bits(frequency),
    };
    let terms: Vec<Term> = seen.into_iter().map(term).collect();
    let prior = MatchWeight::log2(0.95 / 20_000.0);
    let relatives = MatchWeight::from_bits(relatives);
    let evidence: MatchWeight = terms.iter().map(|term| term.weight + term.frequency).sum();
    let rules = rules.iter().map(|rule| (*rule).to_owned()).collect();
    let weight = prior + evidence + relatives;
    let rivals = MatchWeight::ZERO;
    Explanation { prior, terms, relatives, lookalike: None, rivals, weight, rules }
}

fn waterfalls() -> Vec<Waterfall> {
    const ORDER: &str = "name order";
    const FAMILY: &str = "family name (name_kanji+name_kana)";
    const GIVEN: &str = "given name (name_kanji+name_kana)";
    const PLACE: &str = "address and postal code";
    let values = |values: [(&str, &str, &str); 5]| {
        values
            .map(|(field, line, record)| (field.to_owned(), line.to_owned(), record.to_owned()))
            .to_vec()
    };
    vec![
        Waterfall {
            kind: Kind::Clear,
            outcome: Outcome::Linked,
            explanation: explanation(
                [
                    (ORDER, "as registered", 0.967, 0.971, 0.0),
                    (FAMILY, "both equal", 0.894, 0.0041, -1.912),
                    (GIVEN, "both equal", 0.881, 0.00068, 2.305),
                    ("birth_date", "equal", 0.963, 0.00004, 0.0),
                    ("sex", "equal", 0.994, 0.501, 0.0),
                    (PLACE, "same building, room missing", 0.128, 0.0002, 0.0),
                ],
                -1.204,
                &["birth_date + family name as read", "whole name as read + town"],
            ),
            values: values([
                ("name_kanji", "佐＊ 美＊", "佐＊ 美＊"),
                ("name_kana", "ｻ＊ ﾐ＊", "サ＊ ミ＊"),
                ("birth_date", "S＊", "1＊"),
                ("sex", "＊", "＊"),
                ("address", "青＊", "青＊"),
            ]),
        },
        Waterfall {
            kind: Kind::Doubtful,
            outcome: Outcome::Review,
            explanation: explanation(
                [
                    (ORDER, "as registered", 0.967, 0.971, 0.0),
                    (FAMILY, "both equal", 0.894, 0.0041, -2.418),
                    (GIVEN, "written similar, reading near", 0.0006, 0.003, 0.0),
                    ("birth_date", "one digit of month or day off", 0.014, 0.0015, 0.0),
                    ("sex", "equal", 0.994, 0.501, 0.0),
                    (PLACE, "same place", 0.741, 0.0002, 0.0),
                ],
                -2.871,
                &["whole name as read"],
            ),
            values: values([
                ("name_kanji", "田＊ 裕＊", "田＊ 祐＊"),
                ("name_kana", "タ＊ ユ＊", "タ＊ ユ＊"),
                ("birth_date", "H＊", "1＊"),
                ("sex", "＊", "＊"),
                ("address", "弘＊", "弘＊"),
            ]),
        },
        Waterfall {
            kind: Kind::Refused,
            outcome: Outcome::NotFound,
            explanation: explanation(
                [
                    (ORDER, "as registered", 0.967, 0.971, 0.0),
                    (FAMILY, "both equal", 0.894, 0.0041, 0.0),
                    (GIVEN, "both equal", 0.881, 0.00068, -0.733),
                    ("birth_date", "different", 0.003, 0.985, 0.0),
                    ("sex", "missing", 1.0, 1.0, 0.0),
                    (PLACE, "different", 0.045, 0.962, 0.0),
                ],
                -0.011,
                &[],
            ),
            values: values([
                ("name_kanji", "鈴＊ 健＊", "鈴＊ 健＊"),
                ("name_kana", "ス＊ ケ＊", "ス＊ ケ＊"),
                ("birth_date", "1＊", "1＊"),
                ("sex", "", "＊"),
                ("address", "八＊", "む＊"),
            ]),
        },
    ]
}
