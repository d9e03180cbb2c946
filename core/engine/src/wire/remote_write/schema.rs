//! Field numbers of the messages of remote write and remote read. Sources: `prompb/{remote,types}.proto` and
//! `prompb/io/prometheus/write/v2/types.proto` of Prometheus.

/// `prometheus.WriteRequest` of remote write 1.0, and what is in it.
pub mod v1 {
    /// `WriteRequest`.
    pub mod request {
        /// repeated TimeSeries
        pub const TIMESERIES: u32 = 1;
        /// repeated MetricMetadata
        pub const METADATA: u32 = 3;
    }
    /// `TimeSeries`.
    pub mod series {
        /// repeated Label
        pub const LABELS: u32 = 1;
        /// repeated Sample
        pub const SAMPLES: u32 = 2;
        /// repeated Exemplar
        pub const EXEMPLARS: u32 = 3;
        /// repeated Histogram
        pub const HISTOGRAMS: u32 = 4;
    }
    /// `Label`.
    pub mod label {
        /// string
        pub const NAME: u32 = 1;
        /// string
        pub const VALUE: u32 = 2;
    }
    /// `Exemplar`.
    pub mod exemplar {
        /// repeated Label
        pub const LABELS: u32 = 1;
    }
    /// `MetricMetadata`; for its type see [`crate::metadata::kind_number`].
    pub mod metadata {
        /// enum
        pub const KIND: u32 = 1;
        /// string: the metric family's name
        pub const FAMILY: u32 = 2;
        /// string
        pub const HELP: u32 = 4;
        /// string
        pub const UNIT: u32 = 5;
    }
}

/// `io.prometheus.write.v2.Request` of remote write 2.0, and what is in it.
pub mod v2 {
    /// `Request`.
    pub mod request {
        /// repeated string; the first is empty
        pub const SYMBOLS: u32 = 4;
        /// repeated TimeSeries
        pub const TIMESERIES: u32 = 5;
    }
    /// `TimeSeries`. Number 6 was a start time of the whole series; senders that set it still are heard, it is not.
    pub mod series {
        /// repeated uint32: symbols of name, value, name, value, ...
        pub const LABELS: u32 = 1;
        /// repeated Sample
        pub const SAMPLES: u32 = 2;
        /// repeated Histogram
        pub const HISTOGRAMS: u32 = 3;
        /// repeated Exemplar
        pub const EXEMPLARS: u32 = 4;
        /// Metadata
        pub const METADATA: u32 = 5;
    }
    /// `Exemplar`.
    pub mod exemplar {
        /// repeated uint32: symbols of name, value, name, value, ...
        pub const LABELS: u32 = 1;
    }
    /// `Metadata`; for its type see [`crate::metadata::kind_number`].
    pub mod metadata {
        /// enum
        pub const KIND: u32 = 1;
        /// uint32: symbol
        pub const HELP: u32 = 3;
        /// uint32: symbol
        pub const UNIT: u32 = 4;
    }
}

/// `Sample` of both versions.
pub mod sample {
    /// double
    pub const VALUE: u32 = 1;
    /// int64, ms
    pub const TIME: u32 = 2;
    /// int64, ms; 0: not told. 2.0 only
    pub const START: u32 = 3;
}

/// `Exemplar` of both versions, but for its labels.
pub mod exemplar {
    /// double
    pub const VALUE: u32 = 2;
    /// int64, ms
    pub const TIME: u32 = 3;
}

/// `Histogram` of both versions.
pub mod histogram {
    /// uint64; excludes the next one
    pub const COUNT: u32 = 1;
    /// double; makes all counts floats
    pub const COUNT_FLOAT: u32 = 2;
    /// double
    pub const SUM: u32 = 3;
    /// sint32
    pub const SCHEMA: u32 = 4;
    /// double
    pub const ZERO_THRESHOLD: u32 = 5;
    /// uint64; excludes the next one
    pub const ZERO_COUNT: u32 = 6;
    /// double
    pub const ZERO_COUNT_FLOAT: u32 = 7;
    /// repeated BucketSpan
    pub const NEGATIVE_SPANS: u32 = 8;
    /// repeated sint64
    pub const NEGATIVE_DELTAS: u32 = 9;
    /// repeated double
    pub const NEGATIVE_COUNTS: u32 = 10;
    /// repeated BucketSpan
    pub const POSITIVE_SPANS: u32 = 11;
    /// repeated sint64
    pub const POSITIVE_DELTAS: u32 = 12;
    /// repeated double
    pub const POSITIVE_COUNTS: u32 = 13;
    /// enum: 0 unknown, 1 reset, 2 not reset, 3 gauge
    pub const RESET_HINT: u32 = 14;
    /// int64, ms
    pub const TIME: u32 = 15;
    /// repeated double: bounds of custom buckets
    pub const CUSTOM_VALUES: u32 = 16;
    /// int64, ms; 0: not told. 2.0 only
    pub const START: u32 = 17;
}

/// `BucketSpan` of both versions.
pub mod span {
    /// sint32
    pub const OFFSET: u32 = 1;
    /// uint32
    pub const LENGTH: u32 = 2;
}
