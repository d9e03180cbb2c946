"""The command line as a whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bridge import __version__
from bridge.cli import COMMANDS, main
from tests.cli.running import pushbridge

HEAVY = {
    "aiohttp",
    "asyncio",
    "influxdb_client",
    "numpy",
    "pydantic",
    "prometheus_client",
    "rich",
    "starlette",
    "uvicorn",
}


@pytest.mark.anyio
async def test_help_names_every_command() -> None:
    ran = await pushbridge("--help")
    assert ran.code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in ran.out
    version = await pushbridge("--version")
    assert version.out == f"pushbridge {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches(name: str) -> None:
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None
    leaves = command.commands.values() if isinstance(command, click.Group) else [command]
    for leaf in leaves:
        text = leaf.get_help(click.Context(leaf, info_name=leaf.name))
        assert "Usage: " in text
        assert len(text.splitlines()) > 5


def test_a_push_imports_nothing_of_the_server() -> None:
    code = """
import json, sys
from bridge.cli import main
try:
    main(["push", "--help"])
finally:
    print(json.dumps(list(sys.modules)), file=sys.stderr)
"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(ran.stderr)}
    assert not loaded & HEAVY
    assert "Push metrics" in ran.stdout.decode()
