use cq_types::Ts;

/// A venue or recorder stamp to ns, its unit told by its size.
///
/// Milliseconds, microseconds and nanoseconds of the years 2001 to 2128 do not overlap:
/// 1e12..5e12, 1e15..5e15 and 1e18..5e18.
#[must_use]
pub const fn to_ns(stamp: i64) -> Option<Ts> {
    match stamp {
        1_000_000_000_000..=4_999_999_999_999 => Some(stamp * 1_000_000),
        1_000_000_000_000_000..=4_999_999_999_999_999 => Some(stamp * 1_000),
        1_000_000_000_000_000_000..=4_999_999_999_999_999_999 => Some(stamp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::to_ns;

    #[test]
    fn each_unit_is_told_by_its_size_and_the_rest_refused() {
        assert_eq!(to_ns(1_680_652_700_430), Some(1_680_652_700_430_000_000));
        assert_eq!(
            to_ns(1_680_652_700_423_575),
            Some(1_680_652_700_423_575_000)
        );
        assert_eq!(
            to_ns(1_723_161_255_030_314_667),
            Some(1_723_161_255_030_314_667)
        );
        for odd in [0, -5, 1_680_652_700, 16_806_527_004_235, i64::MAX] {
            assert_eq!(to_ns(odd), None, "{odd}");
        }
    }
}
