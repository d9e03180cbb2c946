//! InfluxDB line protocol, both ways.
