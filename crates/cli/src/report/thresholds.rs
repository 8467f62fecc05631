//! The two thresholds as labelled lines across a chart.

use renkei_linkage::Thresholds;
use renkei_types::Language;

use super::chart::{Anchor, Mark, Scale};
use super::number::short;

/// Room for the two labels, one above the other so that they never meet.
pub(crate) const LABELS_HEIGHT: f64 = 38.0;

/// Draws both thresholds from the labels at the top down to `bottom`.
pub(crate) fn draw(
    thresholds: Thresholds,
    scale: Scale,
    bottom: f64,
    language: Language,
    marks: &mut Vec<Mark>,
) {
    let (link, review) = (scale.at(thresholds.link.bits()), scale.at(thresholds.review.bits()));
    // Both labels point the same way where there is room, and the line that the other's label would cross starts lower:
    // so no line runs through a label.
    let link_side = if link > 66.0 { Anchor::End } else { Anchor::Start };
    let review_side = if review < 34.0 { Anchor::Start } else { link_side };
    let (link_row, review_row) = match link_side {
        Anchor::End => (12.0, 29.0),
        Anchor::Start | Anchor::Middle => (29.0, 12.0),
    };
    let name = language.pick("link threshold", "リンクしきい値");
    let link = (link, name, thresholds.link, "link-line", link_side, link_row);
    let name = language.pick("review threshold", "確認しきい値");
    let review = (review, name, thresholds.review, "review-line", review_side, review_row);
    for (x, name, weight, class, anchor, y) in [link, review] {
        let shift = if anchor == Anchor::End { -5.0 } else { 5.0 };
        let text = format!("{name} {}", short(weight));
        marks.push(Mark::Line { from: (x, y - 10.0), to: (x, bottom), class });
        marks.push(Mark::Text { x, shift, y, anchor, class: "threshold", text });
    }
}
