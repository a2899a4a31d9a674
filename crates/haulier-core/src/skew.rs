//! How far another clock is off, as far as one answer can tell.

use crate::port::Micros;

/// The least by which another clock is off, given what it told between two readings of ours: positive where it is ahead,
/// nothing where the answer fits a clock that is right. `grain` is the step of what it tells, such as a second of an HTTP `Date`.
///
/// However long the answer took, a clock that is right is never called wrong: at some instant between `asked` and
/// `answered` it stood within `told` and `told + grain`.
#[must_use]
pub fn skew(asked: Micros, answered: Micros, told: Micros, grain: Micros) -> Micros {
    let last = told.saturating_add(grain);
    if told > answered {
        told.saturating_sub(answered)
    } else if last < asked {
        last.saturating_sub(asked)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_right_clock_is_never_called_wrong(
            asked in 0_i64..1_000_000_000_000, took in 0_i64..60_000_000, at in 0_i64..60_000_000, grain in 1_i64..2_000_000,
        ) {
            let (answered, read) = (asked + took, asked + at.min(took));
            prop_assert_eq!(skew(asked, answered, read / grain * grain, grain), 0);
        }

        #[test]
        fn a_wrong_one_is_found_as_far_as_the_answer_can_tell(
            asked in 1_000_000_000_i64..1_000_000_000_000, took in 0_i64..60_000_000, wrong in -900_000_000_i64..900_000_000,
        ) {
            let (answered, grain) = (asked + took, 1_000_000);
            let told = (answered + wrong) / grain * grain;
            let found = skew(asked, answered, told, grain);
            prop_assert!(found.abs() <= wrong.abs() && found.abs() >= wrong.abs() - took - grain);
            prop_assert!(found == 0 || found.signum() == wrong.signum());
        }
    }
}
