"""Real data: samples taken without replacement from the arrays of a file.

    @dataclass(frozen=True, eq=False)
    class Digits(Dataset):
        loss = "cross_entropy"

        def start(self, key, point):
            return jax.random.normal(key, (10, 64)) / 8

        def predict(self, parameters, x):
            return parameters @ x

    threshold(Digits(path="digits.npz"), ...)

A trial has an order of its own of all samples: the first n are to train on, those behind to test.
The arrays become constants of every compiled program, so they should be some megabytes at most.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from jaxflow.core.errors import mistake
from jaxflow.core.types import Point
from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Samples, Supervised


@dataclass(frozen=True, eq=False)
class Dataset(Supervised):
    """Samples x[i], y[i] of an .npz file with arrays x (M, ...) and y (M, ...), at `path`.

    `sha256` is that of their types, shapes and numbers; it is found where it is not given, and is
    part of a study's identity, so that a file which has changed is another problem.
    """

    path: str = field(kw_only=True)
    sha256: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        found = _load(str(self.path))[2]
        if self.sha256 not in ("", found):
            remedy = "put that file back, or start a new study"
            raise mistake(
                f"arrays of SHA-256 {self.sha256[:12]} in {self.path}", found[:12], remedy
            )
        object.__setattr__(self, "sha256", found)

    def check(self, point: Point) -> None:
        """Raise `ValueError` where there are not so many samples."""
        super().check(point)
        count = len(self.arrays[1])
        if point.n >= count:
            raise mistake(f"n < {count}, the samples in {self.path}", point.n, "lower n")

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y, numbers in float32, classes in int32."""
        x, y, _ = _load(str(self.path))
        return x, y

    def sample(self, key: Array, nature: Any, point: Sizes) -> tuple[PyTree, PyTree]:
        """Samples are taken together, so that none comes twice."""
        raise NotImplementedError("see samples")

    def nature(self, key: Array, point: Sizes) -> Array:
        """The order in which a trial takes the samples."""
        return jax.random.permutation(key, len(self.arrays[1]))

    def samples(self, key: Array, nature: Array, point: Sizes, count: int) -> tuple[Array, Array]:
        """The first so many in the order of the trial."""
        return self._at(nature, jnp.arange(count))

    def fresh(self, key: Array, nature: Array, point: Sizes, data: Samples) -> tuple[Any, Any, Any]:
        """Those behind the n to train on, as many as there are, and `test_samples` at most."""
        x, y = self._at(nature, data.n + jnp.arange(self.test_samples))
        return x, y, jnp.minimum(self.test_samples, len(nature) - data.n)

    def _at(self, order: Array, places: Array) -> tuple[Array, Array]:
        chosen = jnp.take(order, places, mode="clip")
        x, y = map(jnp.asarray, self.arrays)
        return x[chosen], y[chosen]


@lru_cache(maxsize=8)
def _load(path: str) -> tuple[np.ndarray, np.ndarray, str]:
    """x, y and the digest of a file; `ValueError` where it has none."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = [np.asarray(archive[name]) for name in ("x", "y")]
    except (OSError, ValueError, KeyError) as error:
        remedy = "write it with numpy.savez(path, x=..., y=...)"
        raise mistake(f"an .npz file with arrays x and y at {path}", error, remedy) from error
    x, y = (a.astype(np.int32 if a.dtype.kind in "iub" else np.float32) for a in arrays)
    if not len(x) == len(y) > 1:
        raise mistake(f"as many x as y, two at least, in {path}", (len(x), len(y)), "cut one")
    digest = hashlib.sha256()
    for array in (x, y):
        digest.update(
            f"{array.dtype} {array.shape} ".encode() + np.ascontiguousarray(array).tobytes()
        )
    return x, y, digest.hexdigest()
