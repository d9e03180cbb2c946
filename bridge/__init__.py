"""pushbridge: pushed metrics, durable before they are acknowledged, forwarded until they have arrived."""

__version__ = "0.1.0"
