use cq_types::Ts;

use crate::args::{Args, Built};
use crate::{
    basis, calendar, channel, depth, external, flow, funding, liquidity, microprice, minutes, ofi,
    oscillator, returns, tape, top, trend, volatility, volume, vpin, FeatureError, FeatureSpec,
    Source,
};

type Build = fn(&Args<'_>) -> Result<Built, FeatureError>;

/// Every operator: a name and what builds it. Adding one is one line here.
const OPERATORS: &[(&str, Build)] = &[
    ("adx", trend::adx),
    ("amihud", liquidity::amihud),
    ("atr", volatility::atr),
    ("autocorrelation", minutes::autocorrelation),
    ("basis", basis::basis),
    ("basis_z", basis::basis_z),
    ("bollinger", channel::bollinger),
    ("calendar", calendar::calendar),
    ("depth_imbalance", depth::imbalance),
    ("depth_slope", depth::slope),
    ("donchian", channel::donchian),
    ("efficiency", trend::efficiency),
    ("ema_ratio", trend::ema_ratio),
    ("external_change", external::change),
    ("external_level", external::level),
    ("external_z", external::z),
    ("extreme_distance", channel::extreme_distance),
    ("flow_imbalance", flow::flow_imbalance),
    ("funding_last", funding::last),
    ("funding_mean", funding::mean),
    ("funding_z", funding::z),
    ("hours_to_funding", funding::hours_to_next),
    ("jump_ratio", minutes::jump_ratio),
    ("kyle", liquidity::kyle),
    ("log_return", returns::log_return),
    ("macd", trend::macd),
    ("microprice", microprice::microprice),
    ("mid_return", top::mid_return),
    ("momentum_z", returns::momentum_z),
    ("ofi", ofi::ofi),
    ("parkinson", volatility::parkinson),
    ("realised_variance", minutes::realised_variance),
    ("roll", liquidity::roll),
    ("rsi", oscillator::rsi),
    ("skew", volatility::skew),
    ("spread", top::spread),
    ("top_imbalance", top::imbalance),
    ("trade_flow", tape::flow),
    ("trade_intensity", tape::intensity),
    ("trade_size", volume::trade_size),
    ("trades_ratio", volume::trades_ratio),
    ("volatility", volatility::volatility),
    ("volatility_premium", external::volatility_premium),
    ("volatility_ratio", volatility::volatility_ratio),
    ("volume_z", volume::volume_z),
    ("vpin", vpin::vpin),
    ("weighted_mid", top::weighted_mid),
];

/// Names of all operators, sorted.
#[must_use]
pub fn operators() -> Vec<&'static str> {
    OPERATORS.iter().map(|(name, _)| *name).collect()
}

/// Builds the operator of one spec.
pub(crate) fn build(
    spec: &FeatureSpec,
    sources: &[Source],
    series: &[String],
) -> Result<Built, FeatureError> {
    let Some((_, build)) = OPERATORS.iter().find(|(name, _)| *name == spec.operator) else {
        return Err(FeatureError::UnknownOperator {
            feature: spec.name.clone(),
            operator: spec.operator.clone(),
            known: operators().join(", "),
        });
    };
    let args = Args::new(spec, sources, series);
    let built = build(&args)?;
    args.finish()?;
    Ok(built)
}

/// Seconds after which the last bar no longer speaks for now. Exchange halts of minutes to a few
/// hours are bridged; a longer one (the longest of Binance spot since 2019 took ten hours) is not.
pub(crate) const BAR_MAX_AGE_S: Ts = 6 * 3600;
