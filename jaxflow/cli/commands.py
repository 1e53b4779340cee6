"""The commands on stores, given their arguments; as every command they return an exit code.

Every import that costs time waits until a command needs it.
"""

import argparse
import sys
from pathlib import Path

from jaxflow.cli.output import print_json, say, show
from jaxflow.core.errors import mistake

UNSOUND = 1  # the exit code of `check` where it finds something


def status(options: argparse.Namespace) -> int:
    """Print where a study stands."""
    from jaxflow import report
    from jaxflow.show import terminal

    found = report.status(options.folder)
    if options.json:
        print_json(found.as_dict())
        return 0
    say(found)
    show(terminal.status(found))
    return 0


def check(options: argparse.Namespace) -> int:
    """Print what is wrong with a store; 1 if anything is."""
    from jaxflow.report.soundness import check

    findings = check(options.folder)
    if options.json:
        print_json({"folder": str(options.folder), "sound": not findings, "findings": findings})
    else:
        for finding in findings or [f"sound: {options.folder}"]:
            say(finding)
    return UNSOUND if findings else 0


def thresholds(options: argparse.Namespace) -> int:
    """Print the thresholds of a store."""
    from jaxflow import report

    if options.json:
        print_json({"thresholds": report.thresholds(options.folder)})
    else:
        from jaxflow.show import terminal

        show(terminal.thresholds(report.slices(options.folder)))
    return 0


def compare(options: argparse.Namespace) -> int:
    """Hold the thresholds of stores against those of the first, and draw the differences."""
    from jaxflow.report.universality import compare

    found = compare([options.folder, *options.others])
    path = options.out
    if options.json:
        print_json(found.as_dict())
    else:
        from jaxflow.show import universality

        show(*map(universality.table, found.comparisons))
        for sentence in universality.sentences(found):
            say(sentence)
        path = path or Path("comparison.png")
    if path:
        from jaxflow.show.figures import drawn, save
        from jaxflow.show.universality import figure

        with drawn(lambda: figure(found)) as made:
            said = f"figure {save(made, path)}"
        say(said, sys.stderr if options.json else None)
    return 0


def means(options: argparse.Namespace) -> int:
    """Print the means of what trials measured, and where they cross levels."""
    from jaxflow import report
    from jaxflow.report.means import every_profile, profiles

    found, levels = report.slices(options.folder), dict(options.level)
    if not options.json:
        from jaxflow.show import terminal

        show(terminal.means(found), *([terminal.crossings(found, levels)] if levels else []))
        return 0
    means = [entry for p in every_profile(found) for entry in p.entries()]
    crossed = [p.level(x) for name, x in levels.items() for p in profiles(found, name)]
    print_json({"means": means, "levels": crossed})
    return 0


def scaling(options: argparse.Namespace) -> int:
    """Print how thresholds grow, and whether transitions of several sizes are one curve."""
    from jaxflow import report

    found = report.slices(options.folder)
    if options.json:
        from jaxflow.report.laws import scaling

        numbers = scaling(found)
        if any(numbers.values()):
            print_json(numbers)
            return 0
    else:
        from jaxflow.show import collapse, fits, planes

        if tables := [*planes.tables(found), *fits.scaling(found), *collapse.tables(found)]:
            show(*tables)
            return 0
    remedy = "give the study more values of an axis"
    raise mistake("three slices along an axis", f"{len(found)} slices", remedy)


def times(options: argparse.Namespace) -> int:
    """Print thresholds against the time allowed, and how convergence slows."""
    from jaxflow import report

    found = report.slices(options.folder)
    if options.json:
        from jaxflow.report.laws import times

        print_json(times(found))
    else:
        from jaxflow.show import fits

        show(*fits.times(found))
    return 0


def figure(options: argparse.Namespace) -> int:
    """Draw what a store says."""
    from jaxflow.show.figures import draw

    path = options.out or options.folder / f"{options.kind}.png"
    say(f"figure {draw(options.folder, path, options.kind, dict(options.level))}")
    return 0


def report(options: argparse.Namespace) -> int:
    """Write what a store says as one HTML file."""
    from jaxflow.show.page import write

    say(f"page {write(options.folder, options.other, options.out)}")
    return 0


def cite(options: argparse.Namespace) -> int:
    """Print BibTeX of what the trials of a store stand on."""
    from jaxflow.show.citations import bibtex

    print(bibtex(options.folder))
    return 0


def export(options: argparse.Namespace) -> int:
    """Write the trials of a store as a table."""
    from jaxflow.report import export
    from jaxflow.show.text import counted
    from jaxflow.store.file import is_there
    from jaxflow.store.store import Store

    is_there(options.file)  # or nothing is; but a pipe is not to be replaced
    with Store.read(options.folder) as store:
        rows = store.table()
        about = {"protocol": store.protocol_json, "protocol_hash": store.protocol_hash}
    export.write(
        export.to_xarray(rows, about) if options.file.suffix == ".nc" else rows, options.file
    )
    say(f"{counted(len(rows), 'trial')} in {options.file}")
    return 0


def merge(options: argparse.Namespace) -> int:
    """Add the trials of other stores."""
    from jaxflow.report.soundness import merge
    from jaxflow.show.text import counted

    found = merge(options.folder, options.others)
    counts = {
        f"{counted(found.added, 'trial')} added": True,
        f"{found.replaced} replaced by the same with a longer horizon": found.replaced,
        f"{found.known} were there already": found.known,
        f"{found.differing} of them decided otherwise, near a horizon or padded otherwise": (
            found.differing
        ),
        f"{found.trajectories} trajectories added": found.trajectories,
        f"{found.designs} designs added": found.designs,
    }
    say(f"{options.folder}: {', '.join(said for said, count in counts.items() if count)}")
    return 0
