"""Makes the reference data of tests/statistics/test_against_psignifit.py: thresholds by psignifit.

`python tests/support/reference/thresholds.py` draws counts of fixed designs and writes them into
thresholds.json beside it, with what psignifit says of them (H. H. Schuett, S. Harmeling, J. H.
Macke and F. A. Wichmann, "Painfree and accurate Bayesian estimation of psychometric functions for
(potentially) overdispersed data", Vision Research 122 (2016) 105-123). A minute on one core.
psignifit is under the GPL, so no dependency: `pip install psignifit==4.3` into an environment of
its own, which needs nothing else.

Its falling curve is a logistic one in log n, from 1 - gamma down to lambda, with m half way and w
from 5 to 95 % of the way. So gamma is the lapse, lambda and the overdispersion are fixed at 0, the
slope is s = 2 log(19)/w and the threshold of the lapsed curve log n50 = m + log(1 - 2 gamma)/s. Its
quantiles are taken over every node of psignifit's posterior. At a given gamma and w, n50 is m
shifted: a uniform prior of m is one of log n50.

The priors are those of jaxflow/statistics/logistic.py, written once more, or psignifit's own.
"""

import json
from itertools import product
from pathlib import Path

import numpy as np
from psignifit import psignifit
from scipy import stats

WIDTHS = 0.03, 0.06, 0.12, 0.25, 0.5  # 10-90 %, in log n
LAPSES = 0.0, 0.05, 0.15
THRESHOLDS = 1110, 1500, 2030, 2730
TRIALS = 20
RATIO = np.log(19) / np.log(9)  # of the 5-95 % width to the 10-90 % width
QUANTILES = 0.025, 0.5, 0.975
STEPS = {"threshold": 161, "width": 161, "gamma": 31}
PRIORS = {
    "threshold": np.ones_like,
    "width": stats.lognorm(1.5, scale=0.3 * RATIO).pdf,
    "gamma": stats.expon(scale=0.2).pdf,
}
BOUNDS = {
    "threshold": (np.log(600), np.log(3600)),
    "width": (0.004 * RATIO, 2 * RATIO),
    "gamma": (0.0, 0.3),
}


def data_set(n50, width, lapse, rng):
    """Counts (13, 3) of n, converged and trials, over two widths to either side or a fifth."""
    reach = max(2 * width, 0.2)
    off = width * rng.uniform(-1, 1) / 6
    n = np.unique(np.round(n50 * np.exp(off + reach * np.linspace(-1, 1, 13))))
    chance = (1 - lapse) / (1 + (1 - 2 * lapse) * (n / n50) ** (2 * np.log(9) / width))
    return np.stack([n, rng.binomial(TRIALS, chance), np.full(len(n), TRIALS)], axis=1).astype(int)


def told(counts, **options):
    """Posterior quantiles of n50 and width."""
    found = psignifit(
        np.stack([np.log(counts[:, 0]), counts[:, 1], counts[:, 2]], axis=1),
        sigmoid="neg_logistic",
        experiment_type="yes/no",
        fixed_parameters={"lambda": 0.0, "eta": 0.0},
        grid_steps=STEPS,
        steps_moving_bounds=STEPS,
        max_bound_value=1e-8,
        verbose=False,
        debug=True,
        **options,
    )
    names = sorted(found.parameter_values)  # as its axes are ordered
    grid = np.meshgrid(*(found.parameter_values[name] for name in names), indexing="ij")
    node = dict(zip(names, grid, strict=True))
    log_n50 = node["threshold"] + np.log1p(-2 * node["gamma"]) * node["width"] / (2 * np.log(19))
    values = {"n50": np.exp(log_n50), "width": node["width"] / RATIO}
    return {name: quantiles(x, found.debug["posteriors"]) for name, x in values.items()}


def quantiles(values, mass):
    """Of values with this mass at every node; nodes of one value are one step."""
    x, place = np.unique(values, return_inverse=True)
    at = np.bincount(place.ravel(), weights=mass.ravel())
    return np.interp(QUANTILES, np.cumsum(at) - at / 2, x).round(5).tolist()


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    made = []
    for width, lapse, n50 in product(WIDTHS, LAPSES, THRESHOLDS):
        counts = data_set(n50, width, lapse, rng)
        truth = {"n50": n50, "width": width, "lapse": lapse}
        same = told(counts, priors=dict(PRIORS), bounds=dict(BOUNDS))
        own = told(counts)["n50"]
        made.append(truth | {"counts": counts.tolist(), "same_priors": same, "own_priors": own})
    lines = ",\n".join(json.dumps(record) for record in made)
    (Path(__file__).parent / "thresholds.json").write_text(f"[\n{lines}\n]\n")
