use std::collections::BTreeMap;

use cq_line::Strategy;

use crate::parameters::{bad, Parameters};
use crate::{Desk, Glft, Grid, Imbalance, ParameterError, Twap, Value};

/// A strategy that a run can name.
pub type Built = Box<dyn Strategy + Send + Sync>;

type Build = fn(Parameters<'_>, Desk) -> Result<Built, ParameterError>;

/// Every strategy: its name, the names of its parameters, and what makes it of them.
const STRATEGIES: [(&str, &[&str], Build); 4] = [
    ("glft", &Glft::PARAMETERS, |p, desk| {
        Ok(Box::new(Glft::build(p, desk)?))
    }),
    ("grid", &Grid::PARAMETERS, |p, desk| {
        Ok(Box::new(Grid::build(p, desk)?))
    }),
    ("imbalance", &Imbalance::PARAMETERS, |p, desk| {
        Ok(Box::new(Imbalance::build(p, desk)?))
    }),
    ("twap", &Twap::PARAMETERS, |p, desk| {
        Ok(Box::new(Twap::build(p, desk)?))
    }),
];

/// Which instrument is traded, the first one if it is left out.
const INSTRUMENT: &str = "instrument";

/// Makes a strategy of its name and parameters; it trades for the first sleeve one of so many
/// `instruments`, and numbers its orders from 1.
///
/// # Errors
/// When the name or that of a parameter is not known, or a parameter is missing or out of range.
pub fn build(
    name: &str,
    given: &BTreeMap<String, Value>,
    instruments: usize,
) -> Result<Built, ParameterError> {
    let found = STRATEGIES.iter().find(|(known, ..)| *known == name);
    let Some((_, names, make)) = found else {
        let known: Vec<_> = STRATEGIES.iter().map(|(known, ..)| *known).collect();
        let expected = format!("one of {}", known.join(", "));
        return Err(bad(
            "strategy",
            expected,
            Some(&Value::Other(name.to_owned())),
        ));
    };
    let parameters = Parameters::new(given, &[*names, &[INSTRUMENT]].concat())?;
    let last = i64::try_from(instruments).unwrap_or(i64::MAX) - 1;
    let instrument = parameters.whole_or(INSTRUMENT, (0, last), 0)?;
    let instrument = u16::try_from(instrument).unwrap_or(u16::MAX);
    make(parameters, Desk::new(instrument, 0, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, given: &[(&str, Value)]) -> String {
        let given = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        match build(name, &given.collect(), 2) {
            Err(error) => error.to_string(),
            Ok(_) => "built".to_owned(),
        }
    }

    #[test]
    fn names_and_ranges_are_checked() {
        let grid = |quantity| {
            refused(
                "grid",
                &[
                    ("levels", Value::Whole(5)),
                    ("gap", Value::Whole(1)),
                    ("quantity", quantity),
                    ("most", Value::Whole(20)),
                    ("instrument", Value::Whole(1)),
                ],
            )
        };
        assert_eq!(grid(Value::Whole(3)), "built");
        let whole = "quantity: expected a whole number from 1 on, was";
        assert_eq!(grid(Value::Real(3.0)), "built");
        assert_eq!(grid(Value::Real(3.5)), format!("{whole} 3.5"));
        assert_eq!(
            grid(Value::Real(1e19)),
            format!("{whole} 10000000000000000000")
        );
        assert_eq!(grid(Value::Whole(0)), format!("{whole} 0"));
        assert_eq!(grid(Value::Real(f64::NAN)), format!("{whole} NaN"));
        assert_eq!(grid(Value::Other("'x'".to_owned())), format!("{whole} 'x'"));
        assert_eq!(
            refused("grids", &[]),
            "strategy: expected one of glft, grid, imbalance, twap, was grids"
        );
        assert_eq!(
            refused("grid", &[("levle", Value::Whole(5))]),
            "parameters: expected some of levels, gap, quantity, most, instrument, was levle"
        );
        assert_eq!(
            refused("grid", &[("instrument", Value::Whole(2))]),
            "instrument: expected a whole number from 0 to 1, was 2"
        );
        assert_eq!(
            refused("grid", &[]),
            "levels: expected a whole number from 1 to 100, was not given"
        );
        assert_eq!(
            refused("glft", &[("gamma", Value::Real(f64::NAN))]),
            "gamma: expected a number above 0, was NaN"
        );
    }
}
