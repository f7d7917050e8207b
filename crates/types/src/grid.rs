use rust_decimal::Decimal;

use crate::TypeError;

/// Price as an integer count of `10^-price_exp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Px(pub i64);

/// Quantity as an integer count of `10^-qty_exp`; signed where it is a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Qty(pub i64);

/// Direction of an order or of a trade's aggressor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Bids, buys, longs.
    Buy,
    /// Asks, sells, shorts.
    Sell,
}

impl Side {
    /// +1 for a buy, -1 for a sell.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// The side that a signed number stands for; zero has none.
    #[must_use]
    pub const fn of(signed: i64) -> Option<Self> {
        match signed {
            0 => None,
            s if s > 0 => Some(Self::Buy),
            _ => Some(Self::Sell),
        }
    }
}

/// How many decimals an instrument's integers stand for.
///
/// The grid is fine enough for every recorded value; the venue's tick and lot are
/// multiples of it that change with time (see [`crate::Instrument`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Decimals of a price.
    pub price_exp: u8,
    /// Decimals of a quantity.
    pub qty_exp: u8,
}

impl Grid {
    /// A price as decimal money per unit.
    #[must_use]
    pub fn price(self, px: Px) -> Decimal {
        Decimal::new(px.0, u32::from(self.price_exp))
    }

    /// A quantity as a decimal.
    #[must_use]
    pub fn quantity(self, qty: Qty) -> Decimal {
        Decimal::new(qty.0, u32::from(self.qty_exp))
    }

    /// A price as a float, for features only.
    #[must_use]
    pub fn price_f64(self, px: Px) -> f64 {
        px.0 as f64 / POW10[usize::from(self.price_exp)]
    }

    /// A quantity as a float, for features only.
    #[must_use]
    pub fn quantity_f64(self, qty: Qty) -> f64 {
        qty.0 as f64 / POW10[usize::from(self.qty_exp)]
    }

    /// Reads decimal text exactly as a price.
    ///
    /// # Errors
    /// When the text is no number, too fine for the grid, or too large.
    pub fn parse_px(self, text: &str) -> Result<Px, TypeError> {
        parse_scaled(text, self.price_exp).map(Px)
    }

    /// Reads decimal text exactly as a quantity.
    ///
    /// # Errors
    /// When the text is no number, too fine for the grid, or too large.
    pub fn parse_qty(self, text: &str) -> Result<Qty, TypeError> {
        parse_scaled(text, self.qty_exp).map(Qty)
    }
}

const POW10: [f64; 19] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18,
];

/// Decimal text to an integer of `10^-exp`; trailing zeros beyond the grid are harmless.
fn parse_scaled(text: &str, exp: u8) -> Result<i64, TypeError> {
    let bad = || TypeError::NotANumber(text.to_owned());
    let big = || TypeError::TooLarge(text.to_owned());
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut value, mut decimals, mut seen_dot, mut seen_digit) = (0_i64, 0_u8, false, false);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                seen_digit = true;
                if seen_dot && decimals == exp {
                    if byte == b'0' {
                        continue;
                    }
                    return Err(TypeError::OffGrid {
                        text: text.to_owned(),
                        exp,
                    });
                }
                decimals += u8::from(seen_dot);
                let digit = i64::from(byte - b'0');
                value = value
                    .checked_mul(10)
                    .and_then(|v| v.checked_add(digit))
                    .ok_or_else(big)?;
            }
            b'.' if !seen_dot => seen_dot = true,
            _ => return Err(bad()),
        }
    }
    if !seen_digit {
        return Err(bad());
    }
    for _ in decimals..exp {
        value = value.checked_mul(10).ok_or_else(big)?;
    }
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GRID: Grid = Grid {
        price_exp: 2,
        qty_exp: 8,
    };

    #[test]
    fn decimal_text_is_read_exactly_or_refused() {
        assert_eq!(GRID.parse_px("61700.10"), Ok(Px(6_170_010)));
        assert_eq!(GRID.parse_px("61700.1000"), Ok(Px(6_170_010)));
        assert_eq!(GRID.parse_px("-0.5"), Ok(Px(-50)));
        assert!(matches!(
            GRID.parse_px("1.001"),
            Err(TypeError::OffGrid { .. })
        ));
        for bad in ["", ".", "-", "1e3", "1.2.3", "nan", " 1"] {
            assert!(
                matches!(GRID.parse_px(bad), Err(TypeError::NotANumber(_))),
                "{bad}"
            );
        }
        assert!(matches!(
            GRID.parse_px("92233720368547758.08"),
            Err(TypeError::TooLarge(_))
        ));
    }

    proptest! {
        #[test]
        fn text_of_a_grid_value_reads_back(v in -10_i64.pow(15)..10_i64.pow(15)) {
            let text = GRID.quantity(Qty(v)).to_string();
            prop_assert_eq!(GRID.parse_qty(&text), Ok(Qty(v)));
        }
    }
}
