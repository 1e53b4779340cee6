"""What is compiled: no product twice, and for every platform on a machine that has but a CPU."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import pytest
from jax.extend import core
from problems import IS_OLD_XLA, keys_of

from jaxflow.engine.program import Program
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.state import Request, Setting
from jaxflow.flow.trial import start, step
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

PLATFORMS = ("cpu", "cuda", "tpu")
CASES = [
    (ShallowNetwork(), GradientFlow(), "ambient"),
    (ShallowNetwork(), GradientFlow(), "span"),
    (ShallowNetwork(Orthogonal()), GradientFlow(), "orthogonal"),
    (ShallowNetwork(), GradientDescent(), "ambient"),
]


def products(dynamics) -> int:
    """Matrix products in one compiled step."""
    setting = Setting(ShallowNetwork(), dynamics, (Certificate(1.0),), Shape(10, 64, 24), "float32")
    sizes = Sizes(*(jnp.asarray(size, jnp.int32) for size in (10, 60, 20)))
    request = Request(keys_of(0, 10, 60, 20, 0), sizes, jnp.float32(100))
    state = jax.eval_shape(partial(start, setting), request)
    text = jax.jit(partial(step, setting)).lower(state).compile().as_text()
    return len(re.findall(r"= f32\[\d+,\d+\]\S* dot\(", text))


@pytest.mark.skipif(not IS_OLD_XLA, reason="told by text of XLA's")
def test_loss_and_error_estimate_share_the_product_of_the_last_stage():
    """A field has two products of matrices: W X^T and G."""
    field = 2
    assert products(GradientDescent()) == field
    power_iteration, stage, last = 1, 1, 1
    assert products(GradientFlow()) == field * (power_iteration + stage + last)


@pytest.mark.parametrize(("problem", "dynamics", "coordinates"), CASES)
def test_rows_are_summed_by_products(problem, dynamics, coordinates):
    """A CPU would wait for one addition of a sum after another."""
    shape = Shape(20, 64, 24)
    setting = Setting(problem, dynamics, (Certificate(1.0),), shape, "float32", coordinates)
    sizes = Sizes(*(jnp.asarray(size, jnp.int32) for size in (20, 60, 24)))
    request = Request(keys_of(0, 20, 60, 24, 0), sizes, jnp.float32(100))
    state = jax.eval_shape(partial(start, setting), request)
    sums = list(summed(jax.make_jaxpr(partial(step, setting))(state).jaxpr))
    assert ((24, 64), (0,)) in sums  # the outputs, over the neurons of every sample
    assert all(len(shape) == 1 or axes == (0,) for shape, axes in sums)


def summed(jaxpr):
    """Of every sum, those in loops included, the shape and the axes."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "reduce_sum":
            yield equation.invars[0].aval.shape, equation.params["axes"]
        for inner in core.jaxprs_in_params(equation.params):
            yield from summed(inner)


@pytest.mark.parametrize("transform", ["map", "vmap"])
@pytest.mark.parametrize(("problem", "dynamics", "coordinates"), CASES)
def test_parts_lower_for_cpu_cuda_and_tpu(problem, dynamics, coordinates, transform):
    advance_by = "evaluation" if transform == "vmap" else "step"
    shape = Shape(20, 16, 8)
    setting = Setting(
        problem, dynamics, (Certificate(1.0),), shape, "float32", coordinates, advance_by
    )
    program = Program(setting, transform, 8, jax.devices("cpu")[0])
    for part in program.parts().values():
        jitted = jax.jit(part.function)
        exported = jax.export.export(jitted, platforms=PLATFORMS)(*part.shapes)
        assert exported.platforms == PLATFORMS
        assert len(exported.mlir_module_serialized) > 0
