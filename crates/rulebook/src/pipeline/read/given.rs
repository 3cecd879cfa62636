//! Which parameters of a method a request contains.

use super::RawValue;

/// The number of parameters that are distinguished, except that the last one stands for all further parameters.
const DISTINGUISHED: usize = u64::BITS as usize;

/// The parameters that a request contains. It needs no allocation; of a method with more than 64 parameters, all
/// from the 64th on are contained if one of them is.
#[derive(Debug, Clone, Copy, Default)]
pub struct GivenParameters(u64);

impl GivenParameters {
    pub(super) fn of(raw: &[RawValue<'_>]) -> Self {
        let given = raw.iter().enumerate().filter(|(_, raw)| !matches!(raw, RawValue::Absent));
        Self(given.fold(0, |bits, (slot, _)| bits | 1 << slot.min(DISTINGUISHED - 1)))
    }

    /// Adds 1 to the counts of these parameters. `counts` has a count for each parameter of the method.
    pub fn add_to(self, counts: &mut [u64]) {
        let mut bits = self.0;
        while bits != 0 {
            let slot = bits.trailing_zeros() as usize;
            let end = if slot == DISTINGUISHED - 1 { counts.len() } else { slot + 1 };
            counts.get_mut(slot..end).into_iter().flatten().for_each(|count| *count += 1);
            bits &= bits - 1;
        }
    }
}
