"""The kernels lower for every platform, on a machine that has none of them but a CPU."""

import jax
import pytest

from jaxflow.engine import Program
from jaxflow.ensemble import Ensemble, Shape
from jaxflow.ensemble.inputs import Orthogonal
from jaxflow.flow import GradientDescent, GradientFlow, Setting

PLATFORMS = ("cpu", "cuda", "tpu")
CASES = [
    (Ensemble(), GradientFlow(), "ambient"),
    (Ensemble(), GradientFlow(), "span"),
    (Ensemble(Orthogonal()), GradientFlow(), "orthogonal"),
    (Ensemble(), GradientDescent(), "ambient"),
]


@pytest.mark.parametrize("transform", ["lane-major", "lane-parallel"])
@pytest.mark.parametrize(("ensemble", "dynamics", "coordinates"), CASES)
def test_kernels_lower_for_cpu_cuda_and_tpu(ensemble, dynamics, coordinates, transform):
    grain = "evaluation" if transform == "lane-parallel" else "step"
    shape = Shape(20, 16, 8)
    setting = Setting(ensemble, dynamics, 1.0, shape, "float32", coordinates, grain)
    program = Program(setting, transform, 8, jax.devices("cpu")[0])
    for kernel in program.kernels().values():
        jitted = jax.jit(kernel.function)
        exported = jax.export.export(jitted, platforms=PLATFORMS)(*kernel.shapes)
        assert exported.platforms == PLATFORMS
        assert len(exported.mlir_module_serialized) > 0
