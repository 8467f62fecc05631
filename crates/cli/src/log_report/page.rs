//! The report as a page for people, with three plots.

use askama::Template;
use renkei_types::Language;

use super::figures::Figures;
use super::withheld::{Cell, Published, PublishedActor};
use crate::report::chart::{Anchor, Chart, Mark, Scale};
use crate::report::number::{as_length, grouped};

/// Rows of the table of systems and persons; the rest is in the JSON.
const ACTORS_MAX: usize = 100;

const TOP: f64 = 8.0;
const BOTTOM: f64 = TOP + 180.0;
/// Room for the numbers of the axis, in percent of the width.
const LEFT: f64 = 6.0;
/// A count that is withheld is drawn so high.
const WITHHELD_HEIGHT: f64 = 14.0;
/// A row of a chart that lies on its side, and where its bars begin.
const ROW: f64 = 26.0;
const NAMES: f64 = 34.0;

/// A bar of a chart.
struct Column {
    label: String,
    title: String,
    count: Cell,
    /// How much of it was off hours.
    off_hours: Cell,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "log_report.html")]
struct Page<'a> {
    language: Language,
    report: &'a Published<'a>,
    figures: &'a Figures,
    days: Chart,
    hours: Chart,
    refusals: Option<Chart>,
    mass: Vec<&'a PublishedActor<'a>>,
    actors: &'a [PublishedActor<'a>],
    more: usize,
    holidays: String,
}

/// The page of a report.
pub(crate) fn render(report: &Published<'_>, language: Language) -> String {
    let rows = &report.actors;
    let hours = &report.figures.hours;
    let page = Page {
        language,
        report,
        figures: report.figures,
        days: days(report, language),
        hours: by_hour(report, language),
        refusals: by_code(report, language),
        mass: rows.iter().filter(|actor| actor.mass).collect(),
        actors: &rows[..rows.len().min(ACTORS_MAX)],
        more: rows.len().saturating_sub(ACTORS_MAX),
        holidays: hours.holidays.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    // Unwrap safety: a template fails only where a value's `Display` does, and none here can.
    page.render().expect("every value of the page can be displayed")
}

impl Page<'_> {
    /// The text of the reader's language.
    fn say<'t>(&self, english: &'t str, japanese: &'t str) -> &'t str {
        self.language.pick(english, japanese)
    }

    fn language_tag(&self) -> &'static str {
        self.language.pick("en", "ja")
    }

    fn leaves(&self) -> String {
        grouped(self.figures.leaves)
    }

    /// A count as it goes on in a Japanese sentence: `12件`, or `は非表示`.
    fn counted(&self, cell: &Cell) -> String {
        match cell.shown() {
            Some(count) => format!("{}件", grouped(count)),
            None => format!("は{}", self.number(cell)),
        }
    }

    fn number(&self, cell: &Cell) -> String {
        shown(*cell, self.language)
    }
}

/// A count in words of the page.
fn shown(cell: Cell, language: Language) -> String {
    cell.shown().map_or_else(|| language.pick("withheld", "非表示").to_owned(), grouped)
}

/// The parts of a bar from its foot, each with its class.
fn parts(column: &Column) -> Vec<(u64, &'static str)> {
    match (column.count, column.off_hours) {
        (Cell::Shown(count), Cell::Shown(off)) => {
            vec![(count.saturating_sub(off), "in-hours"), (off, "off-hours")]
        }
        (Cell::Shown(count), Cell::Withheld) => vec![(count, "undivided")],
        (Cell::Withheld, _) => Vec::new(),
    }
}

fn days(report: &Published<'_>, language: Language) -> Chart {
    let column = |(day, count): &(jiff::civil::Date, Cell)| Column {
        label: day.day().to_string(),
        title: day.to_string(),
        count: *count,
        // The colour is that of the day, whatever its hours were.
        off_hours: if report.figures.hours.closed_on(*day) { *count } else { Cell::Shown(0) },
    };
    let columns: Vec<Column> = report.by_day.iter().map(column).collect();
    upright(&columns, language.pick("Look-ups by day", "日別の照会件数"), language)
}

fn by_hour(report: &Published<'_>, language: Language) -> Chart {
    let column = |(hour, (count, off)): (u8, (&Cell, &Cell))| {
        let off_words = language.pick("off hours", "時間外");
        Column {
            label: hour.to_string(),
            title: format!("{hour}:00–{hour}:59, {off_words} {}", shown(*off, language)),
            count: *count,
            off_hours: *off,
        }
    };
    let both = report.by_hour.iter().zip(&report.off_by_hour);
    let columns: Vec<Column> = (0..).zip(both).map(column).collect();
    upright(&columns, language.pick("Look-ups by hour", "時間帯別の照会件数"), language)
}

fn most(counts: impl Iterator<Item = Cell>) -> f64 {
    as_length(counts.filter_map(Cell::shown).max().unwrap_or(0).max(1))
}

/// Bars that stand beside each other.
fn upright(columns: &[Column], label: &str, language: Language) -> Chart {
    let most = most(columns.iter().map(|column| column.count));
    let y = |count: f64| BOTTOM - count / (most * 1.06) * (BOTTOM - TOP);
    let mut marks = Vec::new();
    for tick in (Scale { low: 0.0, high: most }).ticks(4.0) {
        // Counts are whole.
        if tick.fract() != 0.0 {
            continue;
        }
        let class = if tick == 0.0 { "zero" } else { "grid" };
        marks.push(Mark::Line { from: (LEFT, y(tick)), to: (100.0, y(tick)), class });
        marks.push(Mark::Text {
            x: LEFT,
            shift: -6.0,
            y: y(tick) + 4.0,
            anchor: Anchor::End,
            class: "tick",
            text: format!("{tick:.0}"),
        });
    }
    let step = (100.0 - LEFT) / as_length(columns.len().max(1) as u64);
    let mut x = LEFT;
    for column in columns {
        let title = format!("{}: {}", column.title, shown(column.count, language));
        let (width, left) = (step * 0.76, x + step * 0.12);
        let mut bar = |y, height, class| {
            let title = title.clone();
            marks.push(Mark::Bar { x: left, width, y, height, class, title });
        };
        if column.count == Cell::Withheld {
            bar(BOTTOM - WITHHELD_HEIGHT, WITHHELD_HEIGHT, "withheld");
        }
        let mut below = 0;
        for (count, class) in parts(column).into_iter().filter(|(count, _)| *count > 0) {
            let (foot, top) = (y(as_length(below)), y(as_length(below + count)));
            bar(top, foot - top, class);
            below += count;
        }
        marks.push(Mark::Text {
            x: x + step / 2.0,
            shift: 0.0,
            y: BOTTOM + 15.0,
            anchor: Anchor::Middle,
            class: "tick",
            text: column.label.clone(),
        });
        x += step;
    }
    Chart { label: label.to_owned(), height: BOTTOM + 22.0, marks }
}

/// Refusals by reason, the bars lying beneath each other; nothing where nothing was refused.
fn by_code(report: &Published<'_>, language: Language) -> Option<Chart> {
    if report.by_code.is_empty() {
        return None;
    }
    let most = most(report.by_code.iter().map(|(_, count)| *count));
    let mut marks = Vec::new();
    let mut y = 0.0;
    for (code, count) in &report.by_code {
        let share = count.shown().map_or(0.06, |count| as_length(count) / most);
        let class = if count.shown().is_some() { "refused" } else { "withheld" };
        let width = (share * (100.0 - NAMES - 10.0)).max(0.6);
        let text = |x, shift, anchor, class, text| Mark::Text {
            x,
            shift,
            y: y + 17.0,
            anchor,
            class,
            text,
        };
        marks.push(text(NAMES, -8.0, Anchor::End, "tick", (*code).to_owned()));
        let title = format!("{code}: {}", shown(*count, language));
        marks.push(Mark::Bar { x: NAMES, width, y: y + 5.0, height: ROW - 10.0, class, title });
        let number = shown(*count, language);
        marks.push(text(NAMES + width, 6.0, Anchor::Start, "value", number));
        y += ROW;
    }
    let label = language.pick("Refusals by reason", "理由別の拒否件数").to_owned();
    Some(Chart { label, height: y, marks })
}
