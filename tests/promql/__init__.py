"""Tests of `bridge.promql`."""
