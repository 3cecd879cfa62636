//! Tests the order of decimal numbers.

use rulebook_model::call::Value;
use serde_json::Map;

use super::compile;

/// Numbers in their order, with digits of several types.
const ORDERED: [&str; 12] =
    ["-100.00", "-99.9", "-10.00", "-9.50", "-0.01", "0.00", "0.01", "0.1", "1", "9.99", "10.000", "10.0001"];

#[test]
fn decimals_are_ordered_by_their_numbers() {
    let check = compile("decimal(10,2)", &Map::new()).unwrap();
    for (index, one) in ORDERED.into_iter().enumerate() {
        for (other_index, other) in ORDERED.into_iter().enumerate() {
            let order = check.compare(&Value::from(one), &Value::from(other));
            assert_eq!(order, Some(index.cmp(&other_index)), "{one} {other}");
        }
    }
    for (one, other) in [("1.50", "1.5"), ("2", "2.000"), ("0", "0.00")] {
        assert_eq!(check.compare(&Value::from(one), &Value::from(other)), Some(std::cmp::Ordering::Equal));
    }
    assert_eq!(check.compare(&Value::from("1.50"), &Value::Float(1.5)), None);
}
