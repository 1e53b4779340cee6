"""Numbers with a target, from what a run measured."""

from typing import Any

from benchmarks.contestants import EASY, MIDDLE, ORTHOGONAL, PUBLISHED

Records = list[dict[str, Any]]


def claim(
    name: str, what: str, measured: float, target: float, at_most: bool = False
) -> dict[str, Any]:
    """One claim; it holds if the number measured is at least, or `at_most`, the target."""
    holds = measured <= target if at_most else measured >= target
    return {"id": name, "what": what, "measured": measured, "target": target, "holds": holds}


def of(found: dict[str, Any]) -> Records:
    """The claims that this run can judge."""
    made = _peers(found["peers"]) if "peers" in found else []
    made += _door(found.get("door", []))
    made += _growth(found.get("growth", [])) + _steps(found.get("steps", []))
    if {"sweep", "thresholds", "large"} <= set(found):
        made += _sweep(found)
    if {"experiment", "peers"} <= set(found):
        made += _experiment(found)
    return made


def _peers(records: Records) -> Records:
    spent = {(r["case"], r["contestant"]): r for r in records}

    def ratio(case: str, slow: str, fast: str) -> float | None:
        slower = [
            r["seconds_per_trial"] for (c, name), r in spent.items() if (c, name) == (case, slow)
        ]
        return slower[0] / spent[case, fast]["seconds_per_trial"] if slower else None

    flow, descent, loop = "jaxflow flow", "jaxflow descent", "PyTorch loop"
    batched = [r for r in records if r["contestant"].startswith("PyTorch batch")]
    wanted = [
        # the loop has a fifth of the cores' peak, so that five times it would be all of the peak
        ("control-over-loop", PUBLISHED, loop, descent, 3.3),
        ("flow-over-diffrax", MIDDLE, "diffrax Tsit5, vmapped", flow, 35.0),
        # n = 300, 1700: with nothing but products the flow would be 36 and 14 times as fast (Zen 5)
        ("flow-over-loop-300", EASY, loop, flow, 20.0),
        ("flow-over-loop-800", MIDDLE, loop, flow, 14.0),
        ("flow-over-loop-1700", PUBLISHED, loop, flow, 10.0),
        ("orthogonal-over-loop", ORTHOGONAL, loop, flow, 300.0),
    ]
    made = []
    for name, case, slow, fast, target in wanted:
        measured = ratio(case.name, slow, fast)
        if measured is not None:
            what = f"seconds a trial, {slow} over {fast}, {case.name}"
            made.append(claim(name, what, measured, target))
    if batched:
        best = min(r["seconds_per_trial"] for r in batched)
        measured = best / spent[PUBLISHED.name, descent]["seconds_per_trial"]
        what = f"seconds a trial, best PyTorch batch over {descent}, {PUBLISHED.name}"
        made.append(claim("control-over-batch", what, measured, 1.6))
    # of products alone the two of a field have .74 of the peak at d = 100 and .67 at d = 30 (Zen 5)
    for name, case, contestant, target in (
        ("arithmetic-d100", PUBLISHED, descent, 0.6),
        ("arithmetic-d100-flow", PUBLISHED, flow, 0.6),
        ("arithmetic-d30", MIDDLE, descent, 0.55),
        ("arithmetic-d30-flow", MIDDLE, flow, 0.55),
    ):
        what = f"useful arithmetic over the peak of products, {contestant}, {case.name}"
        made.append(claim(name, what, spent[case.name, contestant]["share_of_peak"], target))
    return made


def _door(records: Records) -> Records:
    """Of a problem written one sample at a time, the worst of its places."""
    if not records:
        return []
    ratio = max(record["ratio"] for record in records)
    share = min(record["fisher_p"] for record in records)
    what = "seconds an evaluation, experiment 1 one sample at a time over closed forms"
    # closed forms gain a third by padding d and by one product less, which a user's loss cannot
    return [
        claim("door-cost", what, ratio, 1.7, at_most=True),
        claim("door-counts", "least p of Fisher's test between their counts", share, 0.05),
    ]


def _growth(records: Records) -> Records:
    """By how much the time of an evaluation leaves what is proportional to its modelled cost."""
    paces = [record["seconds_per_gflop"] for record in records if record["kind"] == "decades"]
    if not paces:
        return []
    spread = (max(paces) / min(paces)) ** 0.5 - 1
    what = "seconds of an evaluation over its cost, ndp over two decades: half the spread"
    return [claim("growth", what, spread, 0.15, at_most=True)]


def _steps(records: Records) -> Records:
    """What a step takes over its two products, on a core of its own.

    The products themselves, of shapes so skinny, reach two thirds to three quarters of the peak: a
    share of the peak says as much about the CPU as about the step.
    """
    made = []
    for record in records:
        for name, target in (("descent", 0.8), ("flow", 0.7)):
            what = f"products at the exact sizes over a step of {name}, {record['case']}"
            share = record["products"] / record[name]
            made.append(claim(f"step-{name} {record['case']}", what, share, target))
    return made


def _sweep(found: dict[str, Any]) -> Records:
    sweep, thresholds, large = found["sweep"], found["thresholds"], found["large"]
    major, parallel = sweep["utilization_mapped"], sweep["utilization_lane_parallel"]
    return [
        claim("lanes-major", "lane utilization of a threshold study, map", major, 0.9),
        claim("lanes-parallel", "the same, vmap", parallel, 0.9),
        claim(
            "threshold-trials",
            "median trials to 1 %, simulated, d=100 p=37",
            thresholds["trials"],
            170.0,
            at_most=True,
        ),
        claim("threshold-coverage", "their coverage", thresholds["coverage"], 0.93),
        claim(
            "finished-study",
            "seconds of `jaxflow run` on a finished study",
            sweep["finished_seconds"],
            2.0,
            at_most=True,
        ),
        claim("help", "seconds of `jaxflow --help`", sweep["help_seconds"], 0.3, at_most=True),
        claim(
            "large-memory",
            "peak MiB of orthogonal data, n = 100 000",
            large["peak_mib"],
            1024.0,
            at_most=True,
        ),
    ]


def _experiment(found: dict[str, Any]) -> Records:
    seconds = found["experiment"]["seconds"]
    loops = [
        r["seconds_per_trial"]
        for r in found["peers"]
        if (r["case"], r["contestant"]) == (PUBLISHED.name, "PyTorch loop")
    ]
    trials = found["experiment"]["trials"]
    made = [claim("experiment-1.0", "seconds of its 1360 trials, warm", seconds, 5.0, at_most=True)]
    if loops:
        what = "PyTorch loop over jaxflow on this GPU, experiment 1.0"
        made.append(claim("experiment-over-loop", what, loops[0] * trials / seconds, 100.0))
    share = found["experiment"]["share_of_peak"]
    made.append(claim("experiment-arithmetic", "its useful arithmetic over the peak", share, 0.25))
    return made
