"""The command that makes the page of a store."""

import argparse

from jaxflow.cli.output import say


def report(options: argparse.Namespace) -> int:
    """Write what a store says as one HTML file."""
    from jaxflow.show.page import write

    say(f"page {write(options.folder, options.other, options.out)}")
    return 0
