//! How long the next try waits after failures: 1, 2, 4 … seconds, a quarter of an hour at most.

use chrono::TimeDelta;

/// Failures without a wait, for one account or one known device: typing errors.
pub const FREE_FOR_ACCOUNT: u32 = 2;
/// The same for a network: several people of one office share it.
pub const FREE_FOR_NETWORK: u32 = 10;
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// The wait after `failures` in a row; the first `free` of them cost nothing.
pub fn delay(failures: u32, free: u32) -> TimeDelta {
    match failures.saturating_sub(free) {
        0 => TimeDelta::zero(),
        n => TimeDelta::seconds(1 << (n - 1).min(20)).min(LONGEST),
    }
}

/// Failures longer ago than that are forgotten.
pub const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_a_quarter_of_an_hour() {
        let seconds = |n| delay(n, FREE_FOR_ACCOUNT).num_seconds();
        assert_eq!([0, 2, 3, 4, 5, 12, 13, 40, u32::MAX].map(seconds), [0, 0, 1, 2, 4, 512, 900, 900, 900]);
    }
}
