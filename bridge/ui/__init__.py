"""The page for people: push groups, sinks and settings, drawn by the browser from the JSON APIs."""

from bridge.ui.routes import page_routes

__all__ = ["page_routes"]
