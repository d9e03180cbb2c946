//! Families out: text 0.0.4, OpenMetrics, protobuf and the JSON of the Pushgateway API.
