//! Summarizes the numbers that the rounds of a case measured.

/// The median, minimum and maximum of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

/// Returns the summary of numbers; `None` if there are no numbers.
pub fn summarize(values: impl IntoIterator<Item = f64>) -> Option<Summary> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    let lower = if values.len() % 2 == 0 { values[middle - 1] } else { upper };
    Some(Summary { median: f64::midpoint(lower, upper), min: *values.first()?, max: *values.last()? })
}

/// Divides each number by the number of the same round in `divisors`, and returns the summary of the ratios.
pub fn summarize_ratios(dividends: &[f64], divisors: &[f64]) -> Option<Summary> {
    summarize(dividends.iter().zip(divisors).map(|(dividend, divisor)| dividend / divisor))
}
