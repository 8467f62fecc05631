//! What is to be expected of a result whose truth nobody knows.
//!
//! A city cannot look 300,000 lines up to learn how well they were linked. But every pair has a posterior probability, and
//! the posteriors of the links that were made say how many of them are wrong, as those of the lines that were not linked
//! say how many persons were missed (Enamorado, Fifield, Imai, "Using a Probabilistic Model to Assist Merging of
//! Large-Scale Administrative Records", APSR 2019, on false discovery and false negative rates).
//!
//! The interval has two sources. Given its posterior, a link is right or wrong by chance. And lines of one agreement
//! pattern share what the model believes of it, so they are wrong together: how often a whole pattern is wrong is drawn
//! anew with a weight of its own (Bayesian bootstrap over patterns: Rubin, "The Bayesian Bootstrap", Annals of Statistics
//! 1981; weights instead of lists of draws: Chamandy, Muralidharan, Najmi, Naidu, "Estimating Uncertainty for Massive Data
//! Streams", 2012). Links are not drawn: how many there are is known.
//! Chance comes from a fixed hash of round and pattern, so equal results have equal intervals.
//!
//! What it cannot know: persons whom no blocking rule brings together with their line, and a model that is wrong about
//! everything at once. Where clerks' decisions or a truth are at hand, measure with them (see `evaluation`).

use std::collections::BTreeMap;

use crate::decision::RankedCandidate;
use crate::hash;
use crate::interval::Interval;
use crate::job::Linkage;
use crate::outcome::Outcome;
use crate::records::Linkable;
use crate::weight::MatchWeight;

/// Rounds of the bootstrap: enough for the ends of a 95 % interval.
const ROUNDS: u64 = 400;

/// What is believed of one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior {
    /// Lines of one pattern are right or wrong together.
    pub pattern: u64,
    /// Whether the line is linked to its best candidate: LINKED, LINKED_BY_CLERK or DUPLICATE.
    pub linked: bool,
    /// That the best candidate is the person.
    pub right: f64,
    /// That the person is among the candidates.
    pub findable: f64,
}

/// A figure that is expected, and where it lies with 95 % confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expected {
    /// The figure.
    pub value: f64,
    /// Where it lies.
    pub interval: Interval,
}

/// What is expected of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expectation {
    /// Links, DUPLICATE lines included.
    pub links: u64,
    /// Links to a wrong person, or to anybody for a nobody.
    pub false_links: Expected,
    /// Share of the links that are right.
    pub precision: Expected,
    /// Share of the persons among the candidates who are linked.
    pub recall: Expected,
}

/// What the lines of one pattern add up to.
#[derive(Clone, Copy, Debug, Default)]
struct Cluster {
    links: f64,
    false_links: f64,
    /// Persons who are not linked though they are among the candidates.
    missed: f64,
}

impl Cluster {
    fn add(&mut self, other: Self) {
        self.links += other.links;
        self.false_links += other.false_links;
        self.missed += other.missed;
    }

    fn precision(self) -> f64 {
        if self.links > 0.0 { 1.0 - self.false_links / self.links } else { 1.0 }
    }

    fn recall(self) -> f64 {
        let right = self.links - self.false_links;
        if right + self.missed > 0.0 { right / (right + self.missed) } else { 1.0 }
    }
}

impl Expectation {
    /// What is expected of these lines, in any order.
    pub fn of(lines: impl IntoIterator<Item = Posterior>) -> Self {
        let mut clusters: BTreeMap<u64, Vec<Posterior>> = BTreeMap::new();
        let mut links = 0;
        for line in lines {
            links += u64::from(line.linked);
            clusters.entry(line.pattern).or_default().push(line);
        }
        let clusters: Vec<(u64, Cluster)> = clusters
            .into_iter()
            .map(|(pattern, mut lines)| {
                // Sums of floats depend on their order; that of the lines is an accident.
                lines.sort_unstable_by(|a, b| {
                    let key = |line: &Posterior| (line.linked, line.right, line.findable);
                    let ((a0, a1, a2), (b0, b1, b2)) = (key(a), key(b));
                    a0.cmp(&b0).then(a1.total_cmp(&b1)).then(a2.total_cmp(&b2))
                });
                let mut sum = Cluster::default();
                for line in lines {
                    let linked = f64::from(u8::from(line.linked));
                    sum.add(Cluster {
                        links: linked,
                        false_links: linked * (1.0 - line.right),
                        missed: (line.findable - linked * line.right).max(0.0),
                    });
                }
                (pattern, sum)
            })
            .collect();
        let mut all = Cluster::default();
        clusters.iter().for_each(|(_, cluster)| all.add(*cluster));
        let draws: Vec<Cluster> = (0..ROUNDS).map(|round| draw(round, &clusters)).collect();
        let interval =
            |of: &dyn Fn(&Cluster) -> f64| Interval::of_draws(draws.iter().map(of).collect());
        let precision = interval(&|draw| draw.precision());
        Self {
            links,
            false_links: Expected {
                value: all.false_links,
                interval: Interval {
                    low: all.links * (1.0 - precision.high),
                    high: all.links * (1.0 - precision.low),
                },
            },
            precision: Expected { value: all.precision(), interval: precision },
            recall: Expected { value: all.recall(), interval: interval(&|draw| draw.recall()) },
        }
    }
}

/// One result that might have been: how often each pattern is wrong, and mistakes that happen so often.
fn draw(round: u64, clusters: &[(u64, Cluster)]) -> Cluster {
    let mut sum = Cluster::default();
    for &(pattern, cluster) in clusters {
        let mut chance = Chance { key: hash::mix(hash::mix(1, round), pattern), drawn: 0 };
        let (wrong, lost) = (chance.weight(), chance.weight());
        sum.add(Cluster {
            links: cluster.links,
            false_links: chance.poisson(wrong * cluster.false_links).min(cluster.links),
            missed: chance.poisson(lost * cluster.missed),
        });
    }
    sum
}

/// Numbers that look drawn and are computed.
struct Chance {
    key: u64,
    drawn: u64,
}

impl Chance {
    /// Above 0, at most 1.
    fn uniform(&mut self) -> f64 {
        self.drawn += 1;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let bits = ((hash::mix(self.key, self.drawn) >> 11) + 1) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// A weight of one on average, exponentially distributed.
    fn weight(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    /// How often something happens that happens `mean` times on average: how many waits fit into one unit of time.
    fn poisson(&mut self, mean: f64) -> f64 {
        // Of many events the count is all but normal (Box and Muller 1958), and waiting for each takes long.
        if mean > 200.0 {
            let radius = libm::sqrt(-2.0 * libm::log(self.uniform()));
            let normal = radius * libm::cos(std::f64::consts::TAU * self.uniform());
            return libm::rint(mean + libm::sqrt(mean) * normal).max(0.0);
        }
        let (mut time, mut count) = (0.0, 0.0);
        loop {
            time += self.weight();
            if time > mean {
                return count;
            }
            count += 1.0;
        }
    }
}

impl Linkage {
    /// What is expected of the result, from posteriors alone.
    pub fn expectation(&self, linkable: &Linkable) -> Expectation {
        let lines = 0..u32::try_from(linkable.list_lines()).expect("fewer than 2^32 lines");
        Expectation::of(lines.filter_map(|line| self.posterior(linkable, line)))
    }

    /// What is believed of a line; nothing where it was compared with nobody.
    fn posterior(&self, linkable: &Linkable, line: u32) -> Option<Posterior> {
        let decision = &self.decisions[line as usize];
        if matches!(decision.outcome, Outcome::RejectedInput | Outcome::Unlinkable) {
            return None;
        }
        let candidates = self.candidates(linkable, line, MatchWeight::NEVER);
        let best = candidates.first()?;
        // A line means one of its candidates, or nobody of them: weights are held against each other already.
        let findable: f64 = candidates.iter().map(RankedCandidate::probability).sum();
        Some(Posterior {
            pattern: self.pattern(line, best.resident)?,
            linked: matches!(
                decision.outcome,
                Outcome::Linked | Outcome::LinkedByClerk | Outcome::Duplicate
            ),
            right: best.probability(),
            findable: findable.min(1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(pattern: u64, linked: bool, right: f64) -> Posterior {
        Posterior { pattern, linked, right, findable: right }
    }

    #[test]
    fn figures_are_sums_of_posteriors() {
        let lines = [
            line(1, true, 0.9),
            line(1, true, 0.8),
            line(2, true, 1.0),
            line(3, false, 0.3),
            line(4, false, 0.0),
        ];
        let expected = Expectation::of(lines);
        assert_eq!(expected.links, 3);
        assert!((expected.false_links.value - 0.3).abs() < 1e-12);
        assert!((expected.precision.value - 0.9).abs() < 1e-12);
        assert!((expected.recall.value - 0.9).abs() < 1e-12);
        assert_eq!(Expectation::of([]).links, 0);
    }

    #[test]
    fn the_order_of_lines_changes_no_bit() {
        let lines: Vec<Posterior> = (0..500u32)
            .map(|n| line(u64::from(n % 7), n % 3 > 0, 1.0 - f64::from(n % 11) / 97.0))
            .collect();
        let straight = Expectation::of(lines.iter().copied());
        assert_eq!(straight, Expectation::of(lines.iter().rev().copied()));
    }

    /// If posteriors are right, the count of false links lies in the interval for about 95 of 100 results.
    #[test]
    fn intervals_hold_what_happens_where_posteriors_are_right() {
        let mut held = 0;
        for city in 0..200u64 {
            let mut chance = Chance { key: hash::mix(77, city), drawn: 0 };
            let lines: Vec<Posterior> =
                (0..3_000u64).map(|n| line(n % 60, true, 1.0 - 0.02 * chance_of(n % 60))).collect();
            let expected = Expectation::of(lines.iter().copied());
            let wrong = lines.iter().filter(|line| chance.uniform() > line.right).count();
            #[expect(clippy::cast_precision_loss, reason = "few")]
            let wrong = wrong as f64;
            let Interval { low, high } = expected.false_links.interval;
            held += u32::from((low..=high).contains(&wrong));
            assert!(high - low < 40.0, "{low}..{high} says nothing");
        }
        assert!((180..=200).contains(&held), "{held} of 200");
    }

    fn chance_of(pattern: u64) -> f64 {
        Chance { key: pattern, drawn: 0 }.uniform()
    }

    #[test]
    fn counts_drawn_have_the_mean_and_the_spread_they_should() {
        for mean in [0.3, 4.0, 90.0, 1_000.0] {
            let mut chance = Chance { key: 5, drawn: 0 };
            let draws: Vec<f64> = (0..4_000).map(|_| chance.poisson(mean)).collect();
            let average = draws.iter().sum::<f64>() / 4_000.0;
            let spread = draws.iter().map(|draw| (draw - average).powi(2)).sum::<f64>() / 4_000.0;
            assert!((average / mean - 1.0).abs() < 0.06, "{mean}: {average}");
            assert!((spread / mean - 1.0).abs() < 0.1, "{mean}: {spread}");
        }
    }
}
