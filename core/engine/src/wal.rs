//! Prometheus' write-ahead log: pages, fragments, records.
