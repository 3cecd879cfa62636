//! Regular expressions for the decimal notation of a range of whole numbers, for the schemas of types that accept
//! numbers as text.

/// Returns a pattern for the numbers from `min` to `max`, written as `-?(0|[1-9][0-9]*)`.
pub(super) fn strict_pattern(min: i128, max: i128) -> String {
    signed(min, max, "", "-")
}

/// Returns a pattern for the numbers from `min` to `max`, which may have leading zeros and, if not negative, a `+`.
pub(super) fn loose_pattern(min: i128, max: i128) -> String {
    signed(min, max, "\\+?0*", "-0*")
}

/// Returns a pattern for the numbers from `min` to `max`. `plus` and `minus` are the patterns before the digits of
/// non-negative and of negative numbers.
fn signed(min: i128, max: i128, plus: &str, minus: &str) -> String {
    let mut sides = Vec::new();
    if max >= 0 {
        sides.push(format!("{plus}(?:{})", magnitudes(min.max(0).unsigned_abs(), max.unsigned_abs())));
    }
    if min <= 0 {
        // -0 is a notation of 0, so 0 is in both branches.
        sides.push(format!("{minus}(?:{})", magnitudes(max.min(0).unsigned_abs(), min.unsigned_abs())));
    }
    format!("^(?:{})$", sides.join("|"))
}

/// Returns alternatives for the numbers from `low` to `high` without leading zeros.
fn magnitudes(low: u128, high: u128) -> String {
    let mut alternatives = Vec::new();
    let mut low = low;
    loop {
        // The numbers with as many digits as `low`, up to 99…9.
        let digits = low.to_string();
        let nines = "9".repeat(digits.len());
        let largest = nines.parse::<u128>().unwrap_or(u128::MAX);
        same_length("", &digits, &largest.min(high).to_string(), &mut alternatives);
        if largest >= high {
            return alternatives.join("|");
        }
        low = largest + 1;
    }
}

/// Adds alternatives for `prefix` followed by the digits from `low` to `high`, which have the same length.
fn same_length(prefix: &str, low: &str, high: &str, alternatives: &mut Vec<String>) {
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
        alternatives.push(format!("{prefix}{}{any_digits}", class(first, last)));
    } else if first == last {
        same_length(&format!("{prefix}{first}"), low_tail, high_tail, alternatives);
    } else {
        let (nines, zeros) = ("9".repeat(tail_len), "0".repeat(tail_len));
        same_length(&format!("{prefix}{first}"), low_tail, &nines, alternatives);
        if let (Some(second), Some(before)) = (next(first), previous(last))
            && second <= before
        {
            same_length(prefix, &format!("{second}{zeros}"), &format!("{before}{nines}"), alternatives);
        }
        same_length(&format!("{prefix}{last}"), &zeros, high_tail, alternatives);
    }
}

fn class(first: char, last: char) -> String {
    if first == last { first.to_string() } else { format!("[{first}-{last}]") }
}

fn next(digit: char) -> Option<char> {
    char::from_u32(u32::from(digit) + 1)
}

fn previous(digit: char) -> Option<char> {
    char::from_u32(u32::from(digit) - 1)
}
