//! Charts as inline SVG.
//!
//! Horizontal positions are percentages of the width, vertical ones are pixels: a chart fills a phone, a screen or a
//! sheet of paper while its letters keep their size. Colours are classes of the page's style sheet, named once there.
//! Invariant: every text and tooltip passes the escaping of the template; a mark cannot carry markup.

use askama::Template;

/// Percent of the width that is still seen as a colour.
const SHORTEST: f64 = 1.0;

/// A drawing as wide as its place in the page.
#[derive(Debug, Template)]
#[template(path = "chart.svg")]
pub(crate) struct Chart {
    /// What it shows, for those who cannot see it; empty where a table beside it says the same.
    pub(crate) label: String,
    pub(crate) height: f64,
    /// Later marks cover earlier ones.
    pub(crate) marks: Vec<Mark>,
}

/// Rendered by a template that escapes, so the page may take it as it is.
impl askama::filters::HtmlSafe for Chart {}

/// Something drawn. `x` in percent of the width, `y` in pixels from the top.
#[derive(Debug)]
pub(crate) enum Mark {
    Bar {
        x: f64,
        width: f64,
        y: f64,
        height: f64,
        class: &'static str,
        title: String,
    },
    Line {
        from: (f64, f64),
        to: (f64, f64),
        class: &'static str,
    },
    /// `shift` moves the text by pixels, away from what it names.
    Text {
        x: f64,
        shift: f64,
        y: f64,
        anchor: Anchor,
        class: &'static str,
        text: String,
    },
}

/// Which end of a text stands at its position.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

impl Chart {
    /// Bars on top of each other from the left edge, lengths in percent: for a cell of a table. What is not nothing is
    /// never too short to see.
    pub(crate) fn cell(bars: impl IntoIterator<Item = (f64, &'static str)>) -> Self {
        let height = 12.0;
        let bar = |(width, class): (f64, _)| Mark::Bar {
            x: 0.0,
            width: if width > 0.0 { width.max(SHORTEST) } else { 0.0 },
            y: 0.0,
            height,
            class,
            title: String::new(),
        };
        let zero = Mark::Line { from: (0.0, 0.0), to: (0.0, height), class: "zero" };
        Self {
            label: String::new(),
            height,
            marks: [zero].into_iter().chain(bars.into_iter().map(bar)).collect(),
        }
    }
}

/// A stretch of numbers laid over the width of a chart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Scale {
    /// Where a value stands, in percent.
    pub(crate) fn at(self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low) * 100.0).clamp(0.0, 100.0)
    }

    /// The bar between two values: its left edge and its width.
    pub(crate) fn between(self, one: f64, other: f64) -> (f64, f64) {
        let (left, right) = (self.at(one.min(other)), self.at(one.max(other)));
        (left, right - left)
    }

    /// Round values within the scale, at most `count` and a few.
    pub(crate) fn ticks(self, count: f64) -> Vec<f64> {
        let least = (self.high - self.low) / count;
        let power = 10f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0].map(|f| f * power).into_iter().find(|step| *step >= least);
        let step = step.unwrap_or(10.0 * power);
        let first = (self.low / step).ceil() * step;
        let next = |tick: &f64| Some(tick + step).filter(|next| *next <= self.high);
        std::iter::successors(Some(first), next).collect()
    }

    /// An axis in bits: a faint line from `top` to `bottom` at every tick, its number beneath.
    pub(crate) fn axis(self, top: f64, bottom: f64, marks: &mut Vec<Mark>) {
        for tick in self.ticks(8.0) {
            let x = self.at(tick);
            let class = if tick == 0.0 { "zero" } else { "grid" };
            marks.push(Mark::Line { from: (x, top), to: (x, bottom), class });
            // Numbers at the very edge would be cut in half.
            if (3.0..=97.0).contains(&x) {
                marks.push(Mark::Text {
                    x,
                    shift: 0.0,
                    y: bottom + 15.0,
                    anchor: Anchor::Middle,
                    class: "tick",
                    text: format!("{tick:.0}").replace('-', "−"),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_scale() {
        assert_eq!(
            Scale { low: -17.0, high: 44.0 }.ticks(8.0),
            [-10.0, 0.0, 10.0, 20.0, 30.0, 40.0]
        );
        assert_eq!(Scale { low: -1.5, high: 1.5 }.ticks(4.0), [-1.0, 0.0, 1.0]);
    }

    #[test]
    fn a_bar_between_two_values_does_not_depend_on_their_order() {
        let scale = Scale { low: -10.0, high: 10.0 };
        assert_eq!(scale.between(5.0, -5.0), (25.0, 50.0));
        assert_eq!(scale.between(-5.0, 5.0), (25.0, 50.0));
    }

    #[test]
    fn words_in_a_chart_are_escaped() {
        let chart = Chart {
            label: "\"><b>".to_owned(),
            height: 10.0,
            marks: vec![Mark::Text {
                x: 0.0,
                shift: 0.0,
                y: 5.0,
                anchor: Anchor::Start,
                class: "tick",
                text: "<script>".to_owned(),
            }],
        };
        let svg = chart.to_string();
        assert!(!svg.contains("<b>") && !svg.contains("<script>"), "{svg}");
    }
}
