//! Lines that become one metric.

use super::check;

#[test]
fn summaries_are_put_together() {
    check(&[
        (
            b"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 3\n",
            "s SUMMARY {} n=3 sum=2 [(0.5, 1.0)]; ",
        ),
        (b"# TYPE s summary\ns 1\n", "s SUMMARY {} n=0 sum=0 []; "),
        (
            b"# TYPE s summary\ns{quantile=\"NaN\"} 1\n",
            "s SUMMARY {} n=0 sum=0 []; ",
        ),
        (
            b"# TYPE s summary\ns_count 1.5\ns_bucket 1\n",
            "s SUMMARY {} n=1 sum=0 []; s_bucket UNTYPED {} 1; ",
        ),
        (
            b"# TYPE s summary\ns_sum{a=\"1\",b=\"2\"} 2\ns_sum{c=\"\"} 4\ns_sum 5\ns_count{b=\"2\",a=\"1\"} 3 7\n",
            "s SUMMARY {a=\"1\",b=\"2\",} n=3 sum=2 [] @7 {c=\"\",} n=0 sum=4 [] {} n=0 sum=5 []; ",
        ),
        (
            b"# TYPE s_count gauge\n# TYPE s summary\ns_count 4\ns_sum 1\n",
            "s_count GAUGE {} 4; s SUMMARY {} n=0 sum=1 []; ",
        ),
        (b"_sum 1\n_count 2\n", "_sum UNTYPED {} 1; _count UNTYPED {} 2; "),
        (b"# TYPE s summary\ns_count -1\n", "s SUMMARY {} n=0 sum=0 []; "),
        (
            b"# TYPE s summary\ns_count 1\n# TYPE s_count gauge\n",
            "3: second TYPE line for metric name \"s\", or TYPE reported after samples",
        ),
        (
            b"# TYPE s summary\ns{quantile=\"x\"} 1\n",
            "2: expected float as value for 'quantile' label, got \"x\"",
        ),
        (
            b"# TYPE s summary\ns{quantile=\"0.5\",quantile=\"1e999\"} 1\n",
            "2: expected float as value for 'quantile' label, got \"1e999\"",
        ),
    ]);
}

#[test]
fn histograms_are_put_together() {
    check(&[
        (
            b"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 2\nh_count 2\n",
            "h HISTOGRAM {} n=2|0 sum=2 1:1|0 inf:2|0; ",
        ),
        (
            b"# TYPE h gauge_histogram\nh_bucket{le=\"1\"} 1.5\nh_bucket{le=\"+Inf\"} 2\nh_count 2\n",
            "h GAUGE_HISTOGRAM {} n=0|2 sum=0 1:0|1.5 inf:0|2; ",
        ),
        (
            b"# TYPE h gaugehistogram\n{\"h_bucket\",le=\"1\",x=\"y\"} 1\n{le=\"2\",x=\"y\",h_bucket} 2\n",
            "h GAUGE_HISTOGRAM {x=\"y\",} n=0|0 sum=0 1:1|0 2:2|0; ",
        ),
        (
            b"# TYPE h histogram\nh_bucket{le=\"1\",le=\"2\"} 1\n",
            "h HISTOGRAM {} n=0|0 sum=0 2:1|0; ",
        ),
        (
            b"# TYPE h histogram\nh{le=\"1\",quantile=\"2\"} 1\n",
            "h HISTOGRAM {quantile=\"2\",} n=0|0 sum=0 1:1|0; ",
        ),
        (
            b"# TYPE h histogram\nh_bucket 1\nh_sum{le=\"1\"} 3\n",
            "h HISTOGRAM {} n=0|0 sum=3; ",
        ),
        (
            b"# TYPE h histogram\nh_count +Inf\nh_bucket{le=\"1\"} 3\n",
            "h HISTOGRAM {} n=0|inf sum=0 1:0|3; ",
        ),
        (b"# TYPE h histogram\nh_count NaN\n", "h HISTOGRAM {} n=0|NaN sum=0; "),
        (b"# TYPE h histogram\nh_count -0\n", "h HISTOGRAM {} n=0|0 sum=0; "),
        (
            b"# TYPE h histogram\nh_count 18446744073709549568\n",
            "h HISTOGRAM {} n=18446744073709549568|0 sum=0; ",
        ),
        (
            b"# TYPE h histogram\nh_count 18446744073709551616\n",
            "h HISTOGRAM {} n=0|18446744073709552000 sum=0; ",
        ),
        (
            b"# TYPE h histogram\nh_count -0.5\n",
            "2: negative count for histogram \"h\"",
        ),
        (
            b"# TYPE h histogram\nh_count -1 x\n",
            "2: negative count for histogram \"h\"",
        ),
        (
            b"# TYPE h histogram\nh_bucket{le=\"1\"} -1\n",
            "2: negative bucket population for histogram \"h\"",
        ),
        (
            b"# TYPE h histogram\nh_bucket{le=\"\"} 1\n",
            "2: expected float as value for 'le' label, got \"\"",
        ),
        (
            b"# TYPE h histogram\n{le=\"x\",\"h_bucket\"} 1\n",
            "2: expected float as value for 'le' label, got \"x\"",
        ),
        (
            b"# HELP h x\n# TYPE h histogram\n# HELP h_count y\n",
            "3: second HELP line for metric name \"h\"",
        ),
    ]);
}
