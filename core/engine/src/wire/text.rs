//! Prometheus' text format 0.0.4, read as strictly as Pushgateway reads it.
