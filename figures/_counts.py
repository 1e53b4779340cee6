"""Counts of trials beside counts that are known, by Fisher's exact test."""

from collections.abc import Sequence

from _common import Claim
from scipy.stats import fisher_exact

from jaxflow.statistics.counts import Tally, wilson

LEVEL = 0.05


def against_count(
    what: str, ours: Tally, good: int, trials: int, source: str, remark: str = ""
) -> tuple[Claim, float]:
    """A proportion beside `good` of `trials`, and the p value of their being one proportion."""
    table = [(good, trials - good), (ours.converged, ours.trials - ours.converged)]
    p = float(fisher_exact(table).pvalue)
    low, high = wilson(ours.converged, ours.trials)
    said = f"Fisher's exact test: p = {p:.2f}" + (f"; {remark}" if remark else "")
    share = ours.converged / ours.trials
    known = f"{good} of {trials}"
    return Claim(what, share, float(low), float(high), ours.trials, known, source, said), p


def all_counts(name: str, p_values: Sequence[float]) -> Claim:
    """How many of the counts differ at the level of 5 %: by chance about one in twenty."""
    differ = sum(p < LEVEL for p in p_values)
    low, high = wilson(differ, len(p_values))
    return Claim(
        f"{name}: share of {len(p_values)} counts that differ from those known (Fisher, p < 0.05)",
        differ / len(p_values), float(low), float(high), len(p_values), LEVEL, "the test's level",
        f"smallest p {min(p_values):.2f}; few trials make such a test conservative",
    )  # fmt: skip
