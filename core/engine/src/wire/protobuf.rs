//! Varint-delimited `io.prometheus.client.MetricFamily`, both ways.
