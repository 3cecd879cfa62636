//! Summary statistics of the rounds.

/// Median, minimum and maximum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

/// Summarizes values; `None` if `values` is empty.
pub fn summary(values: impl IntoIterator<Item = f64>) -> Option<Summary> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    let lower = if values.len() % 2 == 0 { values[middle - 1] } else { upper };
    Some(Summary { median: f64::midpoint(lower, upper), min: *values.first()?, max: *values.last()? })
}

/// Summarizes the ratios of values from the same rounds.
pub fn ratios(of: &[f64], to: &[f64]) -> Option<Summary> {
    summary(of.iter().zip(to).map(|(of, to)| of / to))
}
