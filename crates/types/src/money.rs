use rust_decimal::{Decimal, RoundingStrategy};

/// Decimals of a booked amount of money.
pub const MONEY_DP: u32 = 8;

/// Rounds an amount to what a ledger books: 8 decimals, half to even.
#[must_use]
pub fn round_money(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(MONEY_DP, RoundingStrategy::MidpointNearestEven)
}

#[cfg(test)]
mod tests {
    use super::round_money;
    use rust_decimal::Decimal;

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let at = |s: &str| round_money(s.parse::<Decimal>().unwrap()).to_string();
        assert_eq!(at("0.000000005"), "0.00000000");
        assert_eq!(at("0.000000015"), "0.00000002");
        assert_eq!(at("-0.000000025"), "-0.00000002");
        assert_eq!(at("1.2345678951"), "1.23456790");
    }
}
