"""The main job, end to end, for somebody who sees the bridge for the first time: `pushbridge demo`."""

from bridge.demo.run import run_demo

__all__ = ["run_demo"]
