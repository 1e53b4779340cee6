"""What is compiled: no product twice, and for every platform on a machine that has but a CPU."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import pytest
from problems import keys_of

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


def test_loss_and_error_estimate_share_the_product_of_the_last_stage():
    """A field has two products of matrices: W X^T and G."""
    field = 2
    assert products(GradientDescent()) == field
    power_iteration, stage, last = 1, 1, 1
    assert products(GradientFlow()) == field * (power_iteration + stage + last)


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
