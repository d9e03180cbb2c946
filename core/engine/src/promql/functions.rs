//! Functions of windows, by name.

use super::changes::Changes;
use super::extended_rate::ExtendedRate;
use super::instant_rate::InstantRate;
use super::over_time::over_time;
use super::rate::Rate;
use super::regression::{deriv, predict_linear, smoothing};
use super::samples::Samples;
use super::window::{apply, Windows};
use super::Cells;

/// How samples at a window's edges count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// Only what is in the window does.
    Plain,
    /// The latest sample before it counts as its first.
    Anchored,
    /// Samples around an edge make the value at it.
    Smoothed,
}

/// The function `name` of all windows. `parameters` are its other arguments, each with a number for each step; `starts` tells to heed
/// start times. None when there is no such function.
pub fn call(
    name: &str,
    samples: &Samples,
    windows: &Windows<'_>,
    parameters: &[&[f64]],
    edges: Edges,
    starts: bool,
) -> Option<Cells> {
    let parameter = |n: usize| parameters.get(n).copied().unwrap_or_default();
    let rate = |counter: bool, per_second: bool| match edges {
        Edges::Plain => apply(samples, windows, Rate::new(counter, per_second, starts)),
        Edges::Anchored | Edges::Smoothed => {
            let smoothed = edges == Edges::Smoothed;
            apply(
                samples,
                windows,
                ExtendedRate {
                    counter,
                    per_second,
                    smoothed,
                },
            )
        }
    };
    let changes = |resets: bool| {
        let anchored = edges == Edges::Anchored;
        let starts = starts && resets;
        apply(
            samples,
            windows,
            Changes {
                resets,
                starts,
                anchored,
            },
        )
    };
    Some(match name {
        "rate" => rate(true, true),
        "increase" => rate(true, false),
        "delta" => rate(false, false),
        "irate" => apply(samples, windows, InstantRate { rate: true, starts }),
        "idelta" => apply(
            samples,
            windows,
            InstantRate {
                rate: false,
                starts: false,
            },
        ),
        "changes" => changes(false),
        "resets" => changes(true),
        "deriv" => apply(samples, windows, deriv()),
        "predict_linear" => apply(samples, windows, predict_linear(parameter(0))),
        "double_exponential_smoothing" => apply(samples, windows, smoothing(parameter(0), parameter(1))),
        _ => return over_time(name, samples, windows, parameters),
    })
}
