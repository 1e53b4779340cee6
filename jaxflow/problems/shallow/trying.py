"""Laws are tried before they are believed: drawn at two paddings and in two batches, and compared.

What a trial is must not depend on the shape it is padded to, nor on the trials beside it. A law
that draws over a padded shape, or leaves numbers beyond its sizes, gives no error but a threshold
that is wrong; here it gives one line.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxflow.core.errors import mistake
from jaxflow.core.keys import Keys, Uniforms, trial_keys
from jaxflow.core.types import Point
from jaxflow.core.values import content
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.activations import PLACES
from jaxflow.problems.shallow.network import Network, Parameters
from jaxflow.problems.shallow.padding import Basis, Dense
from jaxflow.problems.shallow.shallow_network import ShallowNetwork, draw

MOST_SAMPLES, MOST_NEURONS = 12, 6  # of a trial that is tried, where the laws have such a one
MORE = Shape(3, 5, 4)  # padding beyond D, N and P
ROUNDING = 1e-4  # of the largest entry, by which two sums of another length may differ
QUICKLY = {"xla_backend_optimization_level": 0}  # what takes time is the compiler

DRAWN_BY = {"X": "inputs", "y": "labels", "W": "initialization", "a": "initialization"}


class _Trial(NamedTuple):
    """Arrays of a batch of trials, one of them first."""

    X: np.ndarray
    y: np.ndarray
    W: np.ndarray
    a: np.ndarray


def try_laws(problem: ShallowNetwork, point: Point, seed: int = 0) -> None:
    """Raise a one-line `ValueError` that names the law, and the entry, where one breaks its word.

    `problem` holds the parameters of the `point`, whose d is kept; n and p may be less. One small
    program is compiled for it, in a time of the order of a second.
    """
    laws = {
        name: _Tried(f"problem.{name}", getattr(problem, name), form)
        for name, form in _FORMS.items()
    }
    tried = replace(problem, **laws)  # type: ignore[arg-type]
    tried.check(point)
    small = _small(tried, point)
    shape = Shape(small.d, small.n, small.p)
    keys = [trial_keys(seed, small, trial) for trial in range(3)]
    one, _ = _batch(tried, keys[:2], shape)
    other, wide = _batch(tried, keys[1:], shape)
    for name, law in DRAWN_BY.items():
        told = _Told(name, laws[law], getattr(wide, name)[0].shape)
        inner = tuple(map(slice, getattr(one, name)[0].shape))
        told.check_finite(getattr(one, name)[0])
        told.check_batch(getattr(one, name)[1], getattr(other, name)[0])
        told.check_zeros(getattr(wide, name)[0], inner)
        told.check_padding(getattr(other, name)[0], getattr(wide, name)[0][inner])
    _try_activation(problem.network)


def _small(tried: ShallowNetwork, point: Point) -> Point:
    """One where the laws have a trial: with less samples and neurons, or the point itself."""
    small = replace(point, n=min(point.n, MOST_SAMPLES), p=min(point.p, MOST_NEURONS))
    try:
        tried.check(small)
    except ValueError:
        return point
    return small


def _batch(tried: ShallowNetwork, keys: list[Keys], shape: Shape) -> list[_Trial]:
    """Trials side by side in arrays of their size, and padded."""
    stacked = jax.tree.map(lambda *k: np.stack(k), *keys)
    try:
        with jax.enable_x64(False):  # a study in float64 may have it on
            both = _drawn(tried, stacked, shape)
    except ValueError as error:  # without JAX's notes on its frames
        raise ValueError(str(error)) from error.__cause__
    return [_Trial(*map(np.asarray, drawn)) for drawn in both]


@partial(jax.jit, static_argnums=(0, 2), compiler_options=QUICKLY)
def _drawn(tried: ShallowNetwork, keys: Keys, shape: Shape) -> list[tuple[jax.Array, ...]]:
    """X, y, W, a at both paddings, with sizes that are traced as in an engine."""

    def alone(keys: Keys, sizes: Sizes) -> list[tuple[jax.Array, ...]]:
        wider = Shape(*(size + more for size, more in zip(shape, MORE, strict=True)))
        both = [draw(tried, keys, sizes, padded, "float32") for padded in (shape, wider)]
        return [(data.X, data.y, theta.W, theta.a) for data, theta in both]

    lanes = len(keys.samples)
    sizes = Sizes(*(jnp.full(lanes, size, jnp.int32) for size in (shape.D, shape.N, shape.P)))
    return jax.vmap(alone)(keys, sizes)


@dataclass(frozen=True)
class _Tried:
    """A law whose errors, and whatever it draws that is no law's, are told as its own."""

    where: str
    law: Any
    form: Callable[[Any, tuple[Any, ...]], tuple[str, str]]

    @property
    def name(self) -> str:
        """Its class, and where it stands."""
        return f"{type(self.law).__name__} at {self.where}"

    def check(self, point: Point) -> None:
        """The law's own."""
        try:
            self.law.check(point)
            hash(content(self.law))
        except ValueError:
            raise
        except Exception as error:
            raise self._broken("check to pass or raise ValueError", error) from error

    def draw(self, *given: Any) -> Any:
        """What the law draws, if it has the form of one."""
        try:
            drawn = self.law.draw(*given)
        except Exception as error:
            raise self._broken("draw to give a sample", error) from error
        expected, got = self.form(drawn, given)
        if got != expected:
            remedy = "return that; docs/laws.md says what a law draws"
            raise mistake(f"{expected} from {self.name}", got, remedy)
        return drawn

    def _broken(self, expected: str, error: Exception) -> ValueError:
        first = next(iter(str(error).splitlines()), "")
        got = f"{type(error).__name__}: {first}"
        return mistake(f"{self.name}, its {expected}", got, "correct the law")


def _array(value: Any) -> str:
    if not isinstance(value, np.ndarray | jax.Array):
        return type(value).__name__
    return f"{value.dtype} {value.shape}".replace(",)", ")")


def _expected(*shape: int) -> str:
    return f"float32 {shape}".replace(",)", ")")


def _inputs_form(rows: Any, given: tuple[Any, ...]) -> tuple[str, str]:
    sample: Uniforms = given[0]
    if isinstance(rows, Basis):
        expected = f"Basis({_expected(sample.rows)}, {sample.d})"
        return expected, f"Basis({_array(rows.radii)}, {rows.D})"
    got = f"Dense({_array(rows.X)})" if isinstance(rows, Dense) else _array(rows)
    return f"Dense({_expected(sample.rows, sample.d)})", got


def _labels_form(y: Any, given: tuple[Any, ...]) -> tuple[str, str]:
    return _expected(given[0].rows), _array(y)


def _initialization_form(theta: Any, given: tuple[Any, ...]) -> tuple[str, str]:
    neuron: Uniforms = given[0]
    expected = f"Parameters({_expected(neuron.rows, neuron.d)}, {_expected(neuron.rows)})"
    if not isinstance(theta, Parameters):
        return expected, _array(theta)
    return expected, f"Parameters({_array(theta.W)}, {_array(theta.a)})"


_FORMS = {
    "inputs": _inputs_form,
    "labels": _labels_form,
    "initialization": _initialization_form,
}


@dataclass(frozen=True)
class _Told:
    """What is asked of one array that a law has drawn; each raises `ValueError`."""

    entry: str
    law: _Tried
    padded: tuple[int, ...]

    def check_finite(self, drawn: np.ndarray) -> None:
        """No NaN and no infinity."""
        for at in np.argwhere(~np.isfinite(drawn))[:1]:
            got = self._said(drawn, at)
            raise mistake(f"finite numbers from {self.law.name}", got, "correct the law")

    def check_batch(self, drawn: np.ndarray, beside: np.ndarray) -> None:
        """The same beside other trials."""
        for at in self._differing(drawn, beside):
            got = f"{self._said(drawn, at)} and then {beside[tuple(at)]:.6g}"
            remedy = "draw from the Uniforms given, which is a trial's own"
            raise mistake(f"one trial from {self.law.name}, drawn twice", got, remedy)

    def check_zeros(self, drawn: np.ndarray, inner: tuple[slice, ...]) -> None:
        """Nothing in the padding."""
        outside = drawn.copy()
        outside[inner] = 0
        for at in np.argwhere(outside != 0)[:1]:
            sizes = " and ".join(str(part.stop) for part in inner)
            expected = f"zeros from {self.law.name} beyond {sizes} of {self.padded}"
            remedy = "jnp.where(below(sizes.n, N), y, 0), likewise in d and p"
            raise mistake(expected, self._said(drawn, at), remedy)

    def check_padding(self, drawn: np.ndarray, padded: np.ndarray) -> None:
        """The same when padded."""
        for at in self._differing(drawn, padded):
            got = f"{self._said(drawn, at)}, padded {padded[tuple(at)]:.6g}"
            remedy = "draw from the Uniforms given, not over a shape, and sum over true sizes only"
            raise mistake(f"the same from {self.law.name} at any padding", got, remedy)

    def _differing(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.argwhere(~(np.abs(one - other) <= ROUNDING * np.max(np.abs(one))))[:1]

    def _said(self, drawn: np.ndarray, at: np.ndarray) -> str:
        return f"{self.entry}{at.tolist()} = {drawn[tuple(at)]:.6g}"


def _try_activation(network: Network) -> None:
    """Raise `ValueError` unless sigma of a number is the same whatever stands beside it."""
    together = np.asarray(network.activation(jnp.asarray(PLACES)))
    alone = np.asarray([network.activation(jnp.asarray(PLACES[i : i + 1]))[0] for i in range(7)])
    for i in np.flatnonzero(~(np.abs(together - alone) <= ROUNDING * np.max(np.abs(alone))))[:1]:
        name = f"{type(network.activation).__name__} at problem.network.activation"
        got = f"sigma({PLACES[i]:g}) = {alone[i]:.6g} alone and {together[i]:.6g} beside others"
        raise mistake(f"an elementwise {name}", got, "write it entry by entry")
