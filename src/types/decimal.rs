//! Patterns for the decimal texts of a range of whole numbers, so that a
//! schema can say of a text what a check finds out by reading it.

/// A pattern for the texts `-?(0|[1-9][0-9]*)` of the numbers from `min` to `max`.
pub(super) fn strict_pattern(min: i128, max: i128) -> String {
    signed(min, max, "", "-")
}

/// The same for texts with any number of leading zeros and, before what is not negative, a `+`.
pub(super) fn loose_pattern(min: i128, max: i128) -> String {
    signed(min, max, "\\+?0*", "-0*")
}

fn signed(min: i128, max: i128, plus: &str, minus: &str) -> String {
    let mut sides = Vec::new();
    if max >= 0 {
        sides.push(format!("{plus}(?:{})", magnitudes(min.max(0).unsigned_abs(), max.unsigned_abs())));
    }
    if min <= 0 {
        // 0 is on both sides: -0 is 0.
        sides.push(format!("{minus}(?:{})", magnitudes(max.min(0).unsigned_abs(), min.unsigned_abs())));
    }
    format!("^(?:{})$", sides.join("|"))
}

/// Alternatives for the decimal texts of `low` to `high` without leading zeros.
fn magnitudes(low: u128, high: u128) -> String {
    let mut alternatives = Vec::new();
    let mut low = low;
    loop {
        // All numbers with as many digits as `low`.
        let digits = low.to_string();
        let nines = "9".repeat(digits.len());
        let longest = nines.parse::<u128>().unwrap_or(u128::MAX);
        same_length("", &digits, &longest.min(high).to_string(), &mut alternatives);
        if longest >= high {
            return alternatives.join("|");
        }
        low = longest + 1;
    }
}

/// Adds alternatives for the digits from `low` to `high`, which are as many, behind `prefix`.
fn same_length(prefix: &str, low: &str, high: &str, alternatives: &mut Vec<String>) {
    let (Some(first), Some(last)) = (low.chars().next(), high.chars().next()) else {
        alternatives.push(prefix.to_owned());
        return;
    };
    let (low_rest, high_rest) = (&low[1..], &high[1..]);
    let rest = low_rest.len();
    if low_rest.chars().all(|c| c == '0') && high_rest.chars().all(|c| c == '9') {
        let any = match rest {
            0 => String::new(),
            _ => format!("[0-9]{{{rest}}}"),
        };
        alternatives.push(format!("{prefix}{}{any}", class(first, last)));
    } else if first == last {
        same_length(&format!("{prefix}{first}"), low_rest, high_rest, alternatives);
    } else {
        let (nines, zeros) = ("9".repeat(rest), "0".repeat(rest));
        same_length(&format!("{prefix}{first}"), low_rest, &nines, alternatives);
        if let (Some(second), Some(before)) = (next(first), previous(last))
            && second <= before
        {
            same_length(prefix, &format!("{second}{zeros}"), &format!("{before}{nines}"), alternatives);
        }
        same_length(&format!("{prefix}{last}"), &zeros, high_rest, alternatives);
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
