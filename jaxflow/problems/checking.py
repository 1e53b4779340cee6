"""A problem is tried before it is believed: what it draws, what it descends, and how fast.

A problem that draws outside its keys, whose field is not its gradient, or whose trial depends on
its padding gives no error but a threshold that is wrong; here it gives one line.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from jaxflow.core.errors import mistake, shortened
from jaxflow.core.keys import Keys, trial_keys
from jaxflow.core.machine import configure_once
from jaxflow.core.names import annotation, with_traced
from jaxflow.core.trees import combine
from jaxflow.core.types import Point
from jaxflow.problems.problem import Problem, Shape, Sizes, declared, sum_of_squares

OURS = ("jaxflow.problems.problem", "jaxflow.problems.supervised", "jaxflow.problems.dataset")
UNKNOWN = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError)
MOST_SAMPLES = 12  # of a trial that is tried, where a problem pads its samples
QUICKLY = {"xla_backend_optimization_level": 0}  # what takes time is the compiler
STEP = 1e-6  # of the finite differences, over the length of the parameters
TOLERANCE = 1e-4  # of the rate at which the loss falls
ROUNDING = 1e-5  # by which two sums over another padding may differ


SOMEWHERE = Point(d=5, n=20, p=4)


def check_problem(problem: Problem, point: Point = SOMEWHERE, seed: int = 0) -> None:
    """Raise a one-line `ValueError` with the class, the method and what to do at the first fault.

    `problem` holds the parameters of the `point`; its d and p are kept, n may be less. Runs in a
    few seconds, before anything is compiled at full width.
    """
    configure_once()
    if not isinstance(problem, Problem):
        raise mistake("a problem", problem, "make its class one of jf.Problem or jf.Supervised")
    for fault in faults(problem, point, seed):
        raise fault


def faults(problem: Problem, point: Point, seed: int = 0) -> Iterator[ValueError]:
    """Every fault that is found, the later ones only where the earlier allow to go on."""
    tried = _Tried(problem, point, seed)
    for check in (_declaration, _draws, _forms, _noise, _repeats, _begins, _padding, _descends):
        found = list(check(tried))
        yield from found
        if found:
            return


class _Tried:
    """A problem, a place to try it at, and the trials drawn there."""

    def __init__(self, problem: Problem, point: Point, seed: int) -> None:
        self.problem, self.name = problem, type(problem).__name__
        n = point.n
        if problem.shape(point) != Shape(point.d, point.n, point.p):  # it pads
            n = min(n, MOST_SAMPLES)
        self.sizes = Sizes(point.d, n, point.p)
        self._seed = seed
        root = {"problem": problem}
        own = [name for name, _ in point.parameters if name.startswith("problem.")]
        self.names = [n.removeprefix("problem.") for n in own if annotation(root, n) is float]
        self.values = [jnp.float32(point[f"problem.{name}"]) for name in self.names]
        self.data: Any = None
        self.parameters: PyTree = None
        self.other: Any = None  # data and parameters of another trial

    def traced(self, values: list[Any], with_loss: bool = False) -> Any:
        """A trial or its loss, the parameters of the point being numbers that are not known."""
        problem = self.problem
        for name, value in zip(self.names, values, strict=True):
            problem = with_traced(problem, name, value)
        trial = self._first(problem)
        return problem.objective(*trial) if with_loss else trial

    def clean(self) -> Any:
        """The labels of the first trial without label noise."""
        return self._first(with_traced(self.problem, "label_noise", 0.0))[0].y

    def _first(self, problem: Problem) -> Any:
        """The first trial of such a problem, unpadded."""
        d, n, p = map(int, self.sizes)
        keys = Keys(*(jnp.asarray(key) for key in trial_keys(self._seed, Point(d, n, p), 0)))
        return problem.prepare(keys, self.sizes, Shape(d, n, p), "float32")

    def trials(self, more: int = 0, dtype: str = "float32") -> list[tuple[Any, PyTree]]:
        """Two as they are drawn, with `more` samples of padding, by code that is traced anew."""
        d, n, p = map(int, self.sizes)
        shape = Shape(d, n + more, p)
        prepare = lambda keys: self.problem.prepare(keys, self.sizes, shape, dtype)  # noqa: E731
        quick = jax.jit(prepare, compiler_options=QUICKLY)
        return [quick(trial_keys(self._seed, Point(d, n, p), number)) for number in (0, 1)]

    def motion(self, data: Any, parameters: PyTree) -> tuple[Array, PyTree, Array]:
        """The loss, the field, and the rate at which the loss falls along it."""

        def evaluate(data: Any, parameters: PyTree) -> tuple[Array, PyTree, Array]:
            field = self.problem.field(data, parameters)
            value = self.problem.objective(data, parameters)
            return value, field, self.problem.decay(data, field)

        return jax.jit(evaluate, compiler_options=QUICKLY)(data, parameters)

    def fault(self, expected: str, got: object, remedy: str) -> ValueError:
        """What is wrong with the class."""
        return mistake(f"{expected} of {self.name}", got, remedy)


def _declaration(tried: _Tried) -> Iterator[ValueError]:
    try:
        declared(type(tried.problem))
        hash(tried.problem)
    except ValueError as error:
        yield error
    except TypeError as error:
        remedy = "hold numbers, texts, tuples or arrays"
        yield tried.fault("fields that can be hashed", error, remedy)


def _draws(tried: _Tried) -> Iterator[ValueError]:
    """Whether data and parameters come at all, traced as in a program."""
    error = _error_of(lambda: jax.eval_shape(tried.traced, tried.values))
    if error is None:
        (tried.data, tried.parameters), tried.other = tried.trials()
        return
    yield _raised(tried, error)


def _raised(tried: _Tried, error: Exception) -> ValueError:
    """What the user's code raised, told as theirs."""
    where, said = _method(error, tried.problem), _first(error)
    if isinstance(error, ValueError) and str(error).startswith("expected "):
        return ValueError(str(error))
    if isinstance(error, jax.errors.TracerBoolConversionError):
        remedy = "choose with jnp.where"
        return tried.fault(f"a {where} without branches on numbers", said, remedy)
    if isinstance(error, UNKNOWN) or "concrete values" in said:
        remedy = (
            "draw one sample at a time, of a shape made of point.d and point.p, with jax.random"
        )
        return tried.fault(f"a {where} whose shapes are known before it runs", said, remedy)
    return tried.fault(f"a {where} that runs", said, "correct it")


def _forms(tried: _Tried) -> Iterator[ValueError]:
    """Parameters of real numbers, a loss that is one, a field like the parameters."""
    leaves = jax.tree.leaves(tried.parameters)
    if not leaves:
        yield tried.fault("first parameters", "none", "return an array, or a tree of arrays")
    for leaf in leaves:
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            remedy = "draw them as floats; what does not move belongs into the data"
            yield tried.fault("first parameters of real numbers", leaf.dtype.name, remedy)
    if not leaves:
        return
    problem = tried.problem
    with_loss = partial(tried.traced, with_loss=True)
    error = _error_of(lambda: jax.eval_shape(with_loss, tried.values))
    if error is not None:
        yield _raised(tried, error)
        return
    value = jax.eval_shape(problem.objective, tried.data, tried.parameters)
    if getattr(value, "shape", None) != () or not jnp.issubdtype(value.dtype, jnp.floating):
        got = f"{getattr(value, 'dtype', type(value).__name__)} {getattr(value, 'shape', '')}"
        yield tried.fault("a loss that is one real number", got, "sum or average it")
        return
    error = _error_of(lambda: jax.eval_shape(problem.field, tried.data, tried.parameters))
    if error is not None:
        yield _raised(tried, error)
        return
    form = lambda tree: jax.tree.map(lambda x: (x.shape, x.dtype.name), tree)  # noqa: E731
    field = jax.eval_shape(problem.field, tried.data, tried.parameters)
    if form(field) != form(tried.parameters):
        remedy = "keep their shapes and types"
        yield tried.fault("a field like the parameters", shortened(str(form(field)), 80), remedy)


def _noise(tried: _Tried) -> Iterator[ValueError]:
    """Whether label noise turns labels, where they are signs."""
    if getattr(tried.problem, "labels", "") != "real":
        return
    y = getattr(tried.data, "y", None)
    noise = float(getattr(tried.problem, "label_noise", 0)) > 0 or "label_noise" in tried.names
    if noise and y is not None and np.all(np.abs(np.asarray(tried.clean())) == 1):
        remedy = 'write labels = "signs" in the class, or name a loss of signs'
        yield tried.fault("label noise that turns the labels +-1", "real labels", remedy)


def _repeats(tried: _Tried) -> Iterator[ValueError]:
    """The same from the same keys, another from others."""
    again, _ = tried.trials()
    if not _equal((tried.data, tried.parameters), again):
        remedy = "draw with jax.random from the key given, not with numpy.random or a global key"
        yield tried.fault("the same trial from the same keys", "another one", remedy)
    elif _equal(again, tried.other):
        remedy = "draw something from the key given"
        yield tried.fault("another trial from other keys", "the same", remedy)


def _padding(tried: _Tried) -> Iterator[ValueError]:
    """The same loss and first parameters, however many samples the shape holds."""
    d, n, p = map(int, tried.sizes)
    point = Point(d, n, p)
    if tried.problem.shape(point) == Shape(d, n, p):
        return
    (data, parameters), _ = tried.trials(more=5)
    if not _equal(parameters, tried.parameters):
        remedy = "draw them from the key and from point.d and point.p"
        yield tried.fault("first parameters that are the same at any padding", "others", remedy)
        return
    alone, padded = (float(tried.motion(x, parameters)[0]) for x in (tried.data, data))
    if not abs(alone - padded) <= ROUNDING * max(abs(alone), abs(padded)):
        remedy = "draw sample i from its own key, and average over the true samples"
        got = f"{alone:.6g} alone and {padded:.6g} padded"
        yield tried.fault("a loss that is the same at any padding", got, remedy)


def _begins(tried: _Tried) -> Iterator[ValueError]:
    """A finite loss, and a velocity."""
    value, field, _ = tried.motion(tried.data, tried.parameters)
    if not bool(jnp.isfinite(value)):
        remedy = "scale the data or the first parameters"
        yield tried.fault("a finite first loss", float(value), remedy)
        return
    speed = float(sum_of_squares(field))
    if not 0 < speed < float("inf"):
        got = "a gradient of zero" if speed == 0 else "a gradient that is not finite"
        yield tried.fault("first parameters that move", got, "begin elsewhere")


def _descends(tried: _Tried) -> Iterator[ValueError]:
    """The field against finite differences of the loss in float64: -L' = decay along it."""
    with jax.enable_x64(True):
        (data, parameters), _ = tried.trials(dtype="float64")
        value, field, rate = tried.motion(data, parameters)
        if value.dtype != jnp.float64:
            remedy = "keep the type of the parameters: no float32 constants or casts"
            yield tried.fault("a loss in float64 in a float64 study", value.dtype.name, remedy)
            return
        decay, length = float(rate), float(jnp.sqrt(sum_of_squares(field)))
        size = max(1.0, float(jnp.sqrt(sum_of_squares(parameters))))
        h = STEP * size / length
        objective = jax.jit(tried.problem.objective, compiler_options=QUICKLY)
        moved = [
            float(objective(data, combine((1.0, parameters), (c * h, field)))) for c in (-1.0, 1.0)
        ]
    found = (moved[0] - moved[1]) / (2 * h)
    rounding = 1e-15 * abs(float(value)) / h
    if not abs(found - decay) <= TOLERANCE * abs(decay) + 10 * rounding:
        got = f"{decay:.6g} where finite differences give {found:.6g}"
        remedy = "correct field or decay, or leave them to the default"
        yield tried.fault("a loss that falls at the rate |field|^2", got, remedy)


def _equal(one: PyTree, other: PyTree) -> bool:
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in leaves)


def _error_of(attempt: Callable[[], Any]) -> Exception | None:
    """What the user's code raises, whatever it is."""
    try:
        attempt()
    except Exception as error:
        return error
    return None


def _method(error: Exception, problem: Problem) -> str:
    """The method of the user's class that was running when it was raised."""
    theirs = (base for base in type(problem).__mro__ if base.__module__ not in OURS)
    names = {name for base in theirs for name in vars(base)}
    found, trace = "trial", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        is_method = type(trace.tb_frame.f_locals.get("self")) is type(problem)
        if is_method and code.co_name in names and not code.co_name.startswith("_"):
            found = code.co_name
        trace = trace.tb_next
    return found


def _first(error: Exception) -> str:
    line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {shortened(line, 120)}"
