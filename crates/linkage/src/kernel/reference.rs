//! The kernels as their definitions read: slow, and plain enough to be checked by eye.
//!
//! Tests hold the fast ones against them and against two libraries; the benchmark of kernels measures how much faster those
//! are. Nothing else uses them.

/// The optimal string alignment distance by its whole matrix: letters replaced, added, lost, or exchanged with their
/// neighbour.
pub(crate) fn alignment_distance(a: &[char], b: &[char]) -> usize {
    let mut distance = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            distance[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let replaced = distance[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let one_sided = 1 + distance[i - 1][j].min(distance[i][j - 1]);
                    let are_exchanged =
                        i >= 2 && j >= 2 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    let exchanged =
                        if are_exchanged { 1 + distance[i - 2][j - 2] } else { usize::MAX };
                    replaced.min(one_sided).min(exchanged)
                }
            };
        }
    }
    distance[a.len()][b.len()]
}

/// Jaro-Winkler similarity, with the letters in common written out.
#[expect(clippy::cast_precision_loss, reason = "lengths of texts")]
pub(crate) fn jaro_winkler(a: &[char], b: &[char]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; b.len()];
    let mut common_of_a = Vec::new();
    for (i, letter) in a.iter().enumerate() {
        let free = |&j: &usize| b[j] == *letter && !taken[j] && i.abs_diff(j) <= window;
        if let Some(j) = (0..b.len()).find(free) {
            taken[j] = true;
            common_of_a.push(*letter);
        }
    }
    let common_of_b: Vec<char> = (0..b.len()).filter(|&j| taken[j]).map(|j| b[j]).collect();
    if common_of_a.is_empty() {
        return 0.0;
    }
    let unlike = (0..common_of_a.len()).filter(|&at| common_of_a[at] != common_of_b[at]).count();
    let (common, transposed) = (common_of_a.len() as f64, (unlike / 2) as f64);
    let jaro =
        (common / a.len() as f64 + common / b.len() as f64 + (common - transposed) / common) / 3.0;
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count() as f64;
    if jaro > 0.7 { jaro + 0.1 * prefix * (1.0 - jaro) } else { jaro }
}
