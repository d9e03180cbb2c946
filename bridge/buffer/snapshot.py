"""A copy of the blocks that costs no space: their files under a second name, in a directory of its own.

Files of a block are never written again, only replaced, so the copy keeps what it had.
"""

from pathlib import Path
from typing import Any

from bridge.buffer.blocks import Blocks
from bridge.buffer.files import Files

__all__ = ["link_blocks"]


def link_blocks(files: Files, blocks: Blocks[Any], target: Path) -> None:
    """Link all blocks in use into `target`, which is made, durably. Raises OSError; then a part may be there."""
    files.make_dir(target)
    with blocks.reading() as loaded:
        for block in loaded:
            _link_tree(files, block.path, target / block.path.name)


def _link_tree(files: Files, source: Path, target: Path) -> None:
    files.make_dir(target)
    for name in files.list(source):
        if files.is_dir(source / name):
            _link_tree(files, source / name, target / name)
        elif not name.endswith(".tmp"):  # a replacement that was not finished
            files.link(source / name, target / name)
    files.sync_dir(target)
