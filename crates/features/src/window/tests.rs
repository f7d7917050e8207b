use proptest::prelude::*;

use super::*;

/// A small deterministic generator: uniform in (−1, 1).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

fn close(found: f64, expected: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs().max(1e-300);
    assert!(
        error < 1e-9,
        "{what}: {found} for {expected}, off by {error}"
    );
}

fn mean(xs: &[f64]) -> f64 {
    xs.iter().sum::<f64>() / xs.len() as f64
}

/// Mean of `(x − mean x)^p`, two passes.
fn central(xs: &[f64], p: i32) -> f64 {
    let center = mean(xs);
    xs.iter().map(|x| (x - center).powi(p)).sum::<f64>() / xs.len() as f64
}

#[test]
fn windows_agree_with_a_naive_oracle_after_a_million_updates() {
    const N: usize = 1440;
    let mut noise = Noise(42);
    let mut moments = Window::<Moments>::count(N);
    let mut pairs = Window::<Comoments>::count(N);
    let mut sums = Window::<Sums<1>>::count(N);
    let mut extremes = Window::<Extremes>::count(N);
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    let mut price = 50_000.0;
    for step in 0..1_000_000_i64 {
        price += noise.next();
        // A print a billion times too large must leave no trace once it has left the window.
        let x = if step == 500_000 { price * 1e9 } else { price };
        let y = 0.3 * x + noise.next();
        xs.push(x);
        ys.push(y);
        moments.push(step, Moments::of(x));
        pairs.push(step, Comoments::of(x, y));
        sums.push(step, Sums([y]));
        extremes.push(step, Extremes { min: x, max: x });
        if step % 99_991 != 0 || xs.len() < N {
            continue;
        }
        let (wx, wy) = (&xs[xs.len() - N..], &ys[ys.len() - N..]);
        let found = moments.at(step).unwrap();
        close(found.mean, mean(wx), "mean");
        let variance = central(wx, 2) * N as f64 / (N as f64 - 1.0);
        close(found.sd(), variance.sqrt(), "sd");
        let skew = central(wx, 3) / central(wx, 2).powf(1.5);
        close(1.0 + found.skew(), 1.0 + skew, "skew, in its own unit of 1");
        close(sums.at(step).unwrap().0[0], wy.iter().sum(), "sum");
        let (mx, my) = (mean(wx), mean(wy));
        let products = wx.iter().zip(wy).map(|(x, y)| (x - mx) * (y - my));
        let covariance = products.sum::<f64>() / (N as f64 - 1.0);
        let found = pairs.at(step).unwrap();
        close(found.covariance(), covariance, "covariance");
        close(found.slope(), covariance / variance, "slope");
        let found = extremes.at(step).unwrap();
        close(
            found.min,
            wx.iter().copied().fold(f64::MAX, f64::min),
            "min",
        );
        close(
            found.max,
            wx.iter().copied().fold(f64::MIN, f64::max),
            "max",
        );
    }
}

#[test]
fn a_constant_has_no_variance_at_all() {
    let mut moments = Window::<Moments>::count(7);
    for step in 0..100 {
        moments.push(step, Moments::of(0.1));
    }
    let found = moments.at(100).unwrap();
    assert_eq!((found.mean, found.sd()), (0.1, 0.0));
    assert!(found.skew().is_nan() && found.z(0.1).is_nan());
}

#[test]
fn a_bar_window_is_warm_after_its_span_and_blind_when_half_is_missing() {
    let mut sums = Window::<Sums<1>>::bars(600, 60);
    for end in (1..=9).map(|k| k * 60) {
        sums.push(end, Sums([1.0]));
        assert!(sums.at(end).is_none(), "cold at {end}");
    }
    sums.push(600, Sums([1.0]));
    close(sums.at(600).unwrap().0[0], 10.0, "all");
    close(sums.at(900).unwrap().0[0], 5.0, "the last five minutes");
    assert!(sums.at(960).is_none(), "four of ten are too few");
}

proptest! {
    #[test]
    fn a_time_window_holds_exactly_the_values_after_now_minus_span(
        steps in prop::collection::vec((0_i64..20, -9_i32..9), 1..80),
        span in 1_i64..60,
        reads in prop::collection::vec(0_i64..90, 0..6),
    ) {
        let mut window = Window::<Sums<2>>::ticks(span);
        let mut kept: Vec<(Ts, f64)> = Vec::new();
        let mut ts = 0;
        for (step, value) in steps {
            ts += step;
            window.push(ts, Sums([f64::from(value), 1.0]));
            kept.push((ts, f64::from(value)));
            for wait in &reads {
                let now = ts + wait;
                if now - kept[0].0 < span {
                    prop_assert!(window.at(now).is_none());
                    continue;
                }
                let inside = kept.iter().filter(|(at, _)| *at > now - span);
                let (sum, count) = inside.fold((0.0, 0.0), |(s, n), (_, v)| (s + v, n + 1.0));
                let found = window.at(now).unwrap().0;
                prop_assert_eq!(found.map(f64::to_bits), [sum, count].map(f64::to_bits));
            }
        }
        prop_assert!(window.len() <= kept.iter().filter(|(at, _)| *at > ts - span).count());
    }
}
