//! The bucket bounds of native histograms.

/// 2^(2^-schema) for schemas 1 to 8. Some are one bit below the nearest float: they are those of Go's `math.Exp2`, from which
/// Prometheus' table of bounds was made.
const GROWTH: [f64; 8] = [
    f64::from_bits(0x3ff6_a09e_667f_3bcc),
    f64::from_bits(0x3ff3_06fe_0a31_b715),
    f64::from_bits(0x3ff1_72b8_3c7d_517b),
    f64::from_bits(0x3ff0_b558_6cf9_890f),
    f64::from_bits(0x3ff0_59b0_d315_8574),
    f64::from_bits(0x3ff0_2c9a_3e77_8061),
    f64::from_bits(0x3ff0_163d_a9fb_3335),
    f64::from_bits(0x3ff0_0b1a_fa5a_bcbf),
];

/// The finest schema that Prometheus has a table for.
const FINEST: i32 = 8;

/// The upper bound of bucket `index`, which is the lower bound of the next one. Total: any schema and index have an answer.
pub fn upper_bound(schema: i32, index: i32) -> f64 {
    if schema > FINEST {
        return (f64::from(index) * (-f64::from(schema)).exp2()).exp2();
    }
    let index = i64::from(index);
    let (fraction, exponent) = if schema <= 0 {
        let width = 1i64 << schema.unsigned_abs().min(31);
        (0.5, index.saturating_mul(width).saturating_add(1))
    } else {
        let steps = 1i64 << schema;
        (fraction(schema, index.rem_euclid(steps)), index.div_euclid(steps) + 1)
    };
    // Observations up to the largest float belong to the bucket whose bound would be just beyond it.
    if fraction == 0.5 && exponent == 1025 {
        return f64::MAX;
    }
    ldexp(fraction, exponent)
}

/// Bound `step` of the 2^schema that lie in [0.5, 1): every other one is a bound of the next coarser schema.
fn fraction(schema: i32, step: i64) -> f64 {
    if step == 0 {
        return 0.5;
    }
    if step % 2 == 0 {
        return fraction(schema - 1, step / 2);
    }
    let growth = usize::try_from(schema - 1).ok().and_then(|i| GROWTH.get(i));
    fraction(schema, step - 1) * growth.copied().unwrap_or(2.0)
}

/// `v * 2^exponent` without overflow on the way.
fn ldexp(v: f64, exponent: i64) -> f64 {
    let exponent = exponent.clamp(-1200, 1200) as i32;
    let half = exponent / 2;
    v * 2f64.powi(half) * 2f64.powi(exponent - half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_are_those_of_prometheus() {
        // From the tables of schemas 2, 3 and 5.
        for (schema, index, want) in [
            (0, 0, 1.0),
            (0, -3, 0.125),
            (1, 1, f64::from_bits(0x3ff6_a09e_667f_3bcc)),
            (1, -1, 0.707_106_781_186_547_5),
            (2, -3, 0.594_603_557_501_360_5),
            (2, -1, 0.840_896_415_253_714_4),
            (3, -5, 0.648_419_777_325_504_8),
            (3, 3, 1.296_839_554_651_009_6),
            (-1, 2, 16.0),
            (-4, 1, 65536.0),
            (0, 1024, f64::MAX),
            (8, 1024 * 256, f64::MAX),
            (-4, 64, f64::MAX),
            (0, 1025, f64::INFINITY),
            (0, -1074, 5e-324),
            (0, -1075, 0.0),
            (9, 256, std::f64::consts::SQRT_2),
        ] {
            assert_eq!(upper_bound(schema, index), want, "{schema} {index}");
        }
    }

    proptest! {
        #[test]
        fn bounds_grow(schema in -60..60i32, index in any::<i32>()) {
            let (lower, upper) = (upper_bound(schema, index), upper_bound(schema, index.saturating_add(1)));
            prop_assert!(lower <= upper && lower >= 0.0);
        }
    }
}
