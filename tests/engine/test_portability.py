"""The kernels lower for every platform, on a machine that has none of them but a CPU."""

import jax
import pytest

from jaxflow.engine.program import Program
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.trial import Setting
from jaxflow.problems.shallow.ensemble import Ensemble
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.problems.shallow.padding import Shape

PLATFORMS = ("cpu", "cuda", "tpu")
CASES = [
    (Ensemble(), GradientFlow(), "ambient"),
    (Ensemble(), GradientFlow(), "span"),
    (Ensemble(Orthogonal()), GradientFlow(), "orthogonal"),
    (Ensemble(), GradientDescent(), "ambient"),
]


@pytest.mark.parametrize("transform", ["map", "vmap"])
@pytest.mark.parametrize(("ensemble", "dynamics", "coordinates"), CASES)
def test_kernels_lower_for_cpu_cuda_and_tpu(ensemble, dynamics, coordinates, transform):
    advance_by = "evaluation" if transform == "vmap" else "step"
    shape = Shape(20, 16, 8)
    setting = Setting(ensemble, dynamics, 1.0, shape, "float32", coordinates, advance_by)
    program = Program(setting, transform, 8, jax.devices("cpu")[0])
    for kernel in program.kernels().values():
        jitted = jax.jit(kernel.function)
        exported = jax.export.export(jitted, platforms=PLATFORMS)(*kernel.shapes)
        assert exported.platforms == PLATFORMS
        assert len(exported.mlir_module_serialized) > 0
