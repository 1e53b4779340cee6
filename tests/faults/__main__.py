"""Real processes, and what can happen to them: no trial lost, none twice, the same table.

`python -m tests.faults` sends signals at random, then tries every other fault by itself; every
table has to be that of an undisturbed run, to the last bit, and every ending one line. What one
machine cannot show, it says at the end.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.faults import clusters, coordinators, disks, trials
from tests.faults.bench import Bench
from tests.faults.processes import Place
from tests.faults.signals import KINDS, VICTIMS, Storm, Tally
from tests.faults.site import site
from tests.faults.tables import BRIEF, SHORT, STUDY, Table

SIGNALS = 105
UNTRIED = (
    "not tried, as one machine cannot: a GPU that fails, a network between machines that is cut, a "
    "file system that is full or lies about what it has written, a loss of power"
)
OWN = 0.2  # of the signals, to runs with worker processes of their own
SINGLE = {
    fault.__name__: fault
    for module in (coordinators, clusters, disks, trials)
    for fault in module.ALL
}


def main() -> int:
    """Try the faults, print what came of each; 1 if anything is wrong."""
    options = _options()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also in the background of a shell
    began = time.monotonic()
    place = Place(Path(tempfile.mkdtemp(prefix="jaxflow-faults-")))
    wrong: list[str] = []

    @cache
    def bench(text: str) -> Bench:
        return Bench(place, Table(place, BRIEF if options.quick else text))

    try:
        for name in options.only or ["signals", *SINGLE]:
            if name == "signals":
                wrong += _storms(bench(STUDY), options.signals, options.seed)
            else:
                wrong += _single(SINGLE[name], bench(SHORT))
    finally:
        left = place.left(ends=True)
    wrong += [f"left behind: {one}" for one in left]
    print(f"{len(wrong)} things are wrong, {time.monotonic() - began:.0f} s")
    print(UNTRIED)
    for one in wrong:
        print(f"WRONG: {one}")
    if wrong:
        print(f"what was said and stored is in {place.folder}")
    else:
        shutil.rmtree(place.folder)
    return bool(wrong)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.faults", description=__doc__)
    parser.add_argument("--signals", type=int, default=SIGNALS, help=f"that hit ({SIGNALS})")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and victims (0)")
    parser.add_argument("--quick", action="store_true", help="with a study of one program")
    names = ["signals", *SINGLE]
    parser.add_argument("--only", nargs="+", choices=names, metavar="FAULT", help=", ".join(names))
    return parser.parse_args()


def _storms(bench: Bench, most: int, seed: int) -> list[str]:
    """Studies under random signals, first with workers of their own; what is wrong."""
    moments, tally, began = random.Random(seed), Tally(), time.monotonic()
    place, table, own = bench.place, bench.table, int(OWN * most)
    while tally.count < most and not tally.wrong:
        out = place.folder / f"storm-{tally.studies}"
        if tally.count < own:
            Storm(place, table, out, None, moments).run(tally, own)
        else:
            with site(place) as made:
                Storm(place, table, out, made, moments).run(tally, most)
    _print_table(tally, time.monotonic() - began)
    return tally.wrong + [f"signals left behind: {one}" for one in place.left(ends=True)]


def _print_table(tally: Tally, seconds: float) -> None:
    """Signals by victim and kind, endings of coordinators."""
    kinds = [kind.name for kind in KINDS]
    print(f"\n{'signals':>12}", *(f"{kind:>8}" for kind in kinds), f"{'all':>8}")
    for victim in VICTIMS:
        counts = [tally.signals[victim, kind] for kind in kinds]
        print(f"{victim:>12}", *(f"{count:>8}" for count in [*counts, sum(counts)]))
    endings = ", ".join(f"{code} x {count}" for code, count in tally.endings.most_common())
    print(f"{tally.count} signals in {tally.studies} studies of {tally.trials} trials in all,")
    print(
        f"{tally.readers} readers, coordinators ended with {endings}; {seconds:.0f} s\n", flush=True
    )


def _single(fault: Callable[[Bench], None], bench: Bench) -> list[str]:
    """Try one fault and say so in a line; what is wrong."""
    began, title, wrong = time.monotonic(), f"{fault.__doc__}".strip(), []
    try:
        fault(bench)
    except Exception as error:
        wrong = [f"{fault.__name__}: {type(error).__name__}: {error}"]
    wrong += [f"{fault.__name__} left behind: {one}" for one in bench.place.left(ends=True)]
    print(
        f"{'WRONG' if wrong else 'sound':>6} {time.monotonic() - began:4.0f} s  {title}", flush=True
    )
    return wrong


if __name__ == "__main__":
    sys.exit(main())
