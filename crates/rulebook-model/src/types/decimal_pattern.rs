//! Generates regular expressions for the numbers of a range in decimal notation, which JSON Schemas contain.

/// Returns the alternatives of a pattern, separated by `|`, that together match the numbers from `low` to `high` with
/// leading zeros. Both arguments must have the same number of digits, which is that of the matched numbers.
pub(super) fn fixed_width_alternatives(low: &str, high: &str) -> String {
    let mut alternatives = Vec::new();
    add_alternatives_of_equal_length("", low, high, &mut alternatives);
    alternatives.join("|")
}

/// Returns a pattern for the numbers from `min` to `max`. `plus` and `minus` are patterns before their digits.
pub(super) fn decimal_pattern(min: i128, max: i128, plus: &str, minus: &str) -> String {
    let mut sides = Vec::new();
    if max >= 0 {
        sides.push(format!("{plus}(?:{})", magnitude_alternatives(min.max(0).unsigned_abs(), max.unsigned_abs())));
    }
    if min <= 0 {
        // `-0` is a valid notation of 0, so both branches of the pattern include 0.
        sides.push(format!("{minus}(?:{})", magnitude_alternatives(max.min(0).unsigned_abs(), min.unsigned_abs())));
    }
    format!("^(?:{})$", sides.join("|"))
}

/// Returns the alternatives, separated by `|`, for the numbers from `low` to `high` without leading zeros.
fn magnitude_alternatives(low: u128, high: u128) -> String {
    let mut alternatives = Vec::new();
    let mut low = low;
    loop {
        // These alternatives match the numbers that have as many digits as `low`, up to 99…9.
        let digits = low.to_string();
        let nines = "9".repeat(digits.len());
        let largest = nines.parse::<u128>().unwrap_or(u128::MAX);
        add_alternatives_of_equal_length("", &digits, &largest.min(high).to_string(), &mut alternatives);
        if largest >= high {
            return alternatives.join("|");
        }
        low = largest + 1;
    }
}

/// Adds alternatives for `prefix` and a number from `low` to `high`, which have the same number of digits.
fn add_alternatives_of_equal_length(prefix: &str, low: &str, high: &str, alternatives: &mut Vec<String>) {
    let (Some(first), Some(last)) = (low.chars().next(), high.chars().next()) else {
        alternatives.push(prefix.to_owned());
        return;
    };
    let (low_tail, high_tail) = (&low[1..], &high[1..]);
    let tail_len = low_tail.len();
    if low_tail.chars().all(|c| c == '0') && high_tail.chars().all(|c| c == '9') {
        let any_digits = match tail_len {
            0 => String::new(),
            _ => format!("[0-9]{{{tail_len}}}"),
        };
        let digit = if first == last { first.to_string() } else { format!("[{first}-{last}]") };
        alternatives.push(format!("{prefix}{digit}{any_digits}"));
    } else if first == last {
        add_alternatives_of_equal_length(&format!("{prefix}{first}"), low_tail, high_tail, alternatives);
    } else {
        let (nines, zeros) = ("9".repeat(tail_len), "0".repeat(tail_len));
        add_alternatives_of_equal_length(&format!("{prefix}{first}"), low_tail, &nines, alternatives);
        let mut between = ('0'..='9').filter(|digit| (first..last).contains(digit) && *digit != first);
        if let (Some(second), Some(before)) = (between.clone().next(), between.next_back()) {
            let (low, high) = (format!("{second}{zeros}"), format!("{before}{nines}"));
            add_alternatives_of_equal_length(prefix, &low, &high, alternatives);
        }
        add_alternatives_of_equal_length(&format!("{prefix}{last}"), &zeros, high_tail, alternatives);
    }
}
