"""Mutated stores and study files through everything that a user does with them.

`python -m tests.fuzz` wants no traceback, no hang, no good store altered by a bad one, and no
mutation of a trial that `check` does not name. `--seed S --only K` repeats one case.
"""

import argparse
import math
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.fuzz import pool
from tests.fuzz.operations import Case

KINDS = ("traceback", "crash", "hang", "message", "escape", "altered", "unsound", "outside", "miss")
TITLES = {"stores": "store", "studies": "study file"}


def main() -> int:
    """Run the cases, print what was found; 1 if anything was."""
    options = _options()
    root = options.root or Path(tempfile.mkdtemp(prefix="jaxflow-fuzz-seeds-"))
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "modules").exists():
        _make(root, "make_quickly" if options.quick else "make")
    numbers = {"stores": options.stores, "studies": options.studies}
    failed = False
    for kind, count in numbers.items():
        chosen = [options.only] if options.only is not None else range(count)
        if not count:
            continue
        began, found = time.monotonic(), []
        for case in pool.cases([(kind, options.seed, k) for k in chosen], root, options.workers):
            found.append(case)
            if options.only is not None or options.verbose:
                _print_case(case)
            if time.monotonic() - began > options.seconds:
                break
        _print_table(kind, found, time.monotonic() - began)
        _print_examples(kind, found, options)
        failed |= any(case.faults for case in found)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--stores", type=int, default=3000, help="mutated stores (3000)")
    parser.add_argument("--studies", type=int, default=3000, help="mutated study files (3000)")
    parser.add_argument("--seed", type=int, default=0, help="of the mutations (0)")
    parser.add_argument("--only", type=int, metavar="K", help="one case, with its faults in full")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="at most, for each kind")
    parser.add_argument("--examples", type=int, default=2, help="of each kind of fault (2)")
    parser.add_argument("--root", type=Path, help="folder of the sound stores, made when missing")
    parser.add_argument("--quick", action="store_true", help="of one store that needs no trial")
    parser.add_argument("--verbose", action="store_true", help="a line a case")
    return parser.parse_args()


def _make(root: Path, function: str) -> None:
    """The sound stores, in a process of its own: the others need no JAX."""
    import subprocess

    script = "import sys, pathlib; from tests.fuzz import seeds; "
    script += f"seeds.{function}(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", script, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the sound stores could not be made:\n{done.stderr[-3000:]}")
    (root / "modules").mkdir()
    (root / "modules" / "side_effect.py").write_text("class Law: ...\n")


def _print_case(case: Case) -> None:
    print(f"{case.number} {case.mutation}: {case.said}")
    for fault in case.faults:
        print("   ", *fault, sep="  ")


def _print_table(kind: str, found: list[Case], seconds: float) -> None:
    operations = sum(case.operations for case in found)
    print(f"\n{len(found)} mutations of a {TITLES[kind]}, {operations} operations, {seconds:.0f} s")
    print("cases with at least one:", *(f"{name:>9}" for name in KINDS))
    by = defaultdict(list)
    for case in found:
        by[case.mutation.split(" ")[-1]].append(case)
    for name, cases in [*sorted(by.items()), ("all", found)]:
        counts = Counter(k for case in cases for k in {fault.kind for fault in case.faults})
        print(f"{name:>16} {len(cases):>6} ", *(f"{counts[k] or '.':>9}" for k in KINDS))
    spent: Counter[str] = Counter()
    for case in found:
        spent.update(case.seconds)
    print("seconds:", ", ".join(f"{name} {s:.0f}" for name, s in spent.most_common()))


def _print_examples(kind: str, found: list[Case], options: argparse.Namespace) -> None:
    """The faults by kind, operation and place, each with the first cases that show it."""
    places = defaultdict(list)
    for case in sorted(found):
        for fault in case.faults:
            error = fault.said.partition(":")[0] if fault.kind == "traceback" else ""
            where = fault.operation if fault.kind != "traceback" else ""
            places[fault.kind, fault.place, error, where].append((case, fault))
    for (name, place, _, _), shown in sorted(places.items(), key=lambda item: -len(item[1])):
        print(f"\n{len(shown)} x {name} {place}")
        for case, fault in shown[: options.examples]:
            print(f"    {fault.operation}: {fault.said[:160]}")
            print(f"    after {case.mutation}: {case.said[:160]!r}")
            other = "studies" if kind == "stores" else "stores"
            print(
                f"    python -m tests.fuzz --seed {options.seed} --only {case.number} --{other} 0"
            )


if __name__ == "__main__":
    sys.exit(main())
