"""`python -m bridge` and the `pushbridge` command."""

from bridge.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main(prog_name="pushbridge")
