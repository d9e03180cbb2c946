"""The way in for OpenTelemetry: metrics over OTLP/HTTP, in protobuf and in JSON."""

from bridge.otlp.metrics import OtlpMetrics
from bridge.otlp.write import OtlpLimits, OtlpRoute

__all__ = ["OtlpLimits", "OtlpMetrics", "OtlpRoute"]
