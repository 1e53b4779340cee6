"""The public face: what a Python user needs to write any preset in code, and nothing more."""

import subprocess
import sys
from dataclasses import is_dataclass
from types import ModuleType

import pytest

import jaxflow
from jaxflow.study.files import presets

NAMES = [
    "Above",
    "Antisymmetric",
    "Axes",
    "Balanced",
    "Below",
    "BlackBox",
    "Certificate",
    "Cluster",
    "Committee",
    "Dataset",
    "DeepLinear",
    "DeepNetwork",
    "Design",
    "Dominated",
    "EdgeFlow",
    "ExplicitInputs",
    "ExplicitLabels",
    "ExplicitWeights",
    "GELU",
    "Gaussian",
    "GaussianLabels",
    "GaussianWeights",
    "GradientDescent",
    "GradientFlow",
    "GridPlan",
    "Group",
    "GroupCount",
    "GroupSigns",
    "Horizon",
    "Iteration",
    "Jamming",
    "Lanes",
    "LeakyReLU",
    "LeastSquares",
    "LinearizedFlow",
    "LocalRunner",
    "LogisticRegression",
    "MatrixSensing",
    "Monomial",
    "Network",
    "Never",
    "Optax",
    "Orthogonal",
    "Outcome",
    "Perceptron",
    "PhaseRetrieval",
    "Point",
    "Posterior",
    "Problem",
    "Protocol",
    "Quadratic",
    "QuadraticNetwork",
    "RKC1",
    "RKC2",
    "Rademacher",
    "RandomFeatures",
    "RandomSigns",
    "Range",
    "ReLU",
    "Recording",
    "Result",
    "Row",
    "Runner",
    "ShallowNetwork",
    "Softplus",
    "Sphere",
    "SphericalPerceptron",
    "StepsOfDescent",
    "Store",
    "Student",
    "Study",
    "Supervised",
    "Tally",
    "Tanh",
    "Teacher",
    "ThresholdPlan",
    "Trial",
    "WellInitializedWidth",
    "check",
    "check_problem",
    "configure",
    "laws",
    "losses",
    "merge",
    "papers",
    "plot",
    "report",
    "run",
    "threshold",
    "transition",
    "trial",
]


def test_the_face_is_this():
    assert sorted(NAMES) == jaxflow.__all__ == dir(jaxflow)
    with pytest.raises(AttributeError, match="no attribute 'Studdy'"):
        jaxflow.Studdy  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_every_name_says_what_it_is(name):
    found = getattr(jaxflow, name)
    assert found.__doc__
    if is_dataclass(found):
        assert not found.__doc__.startswith(f"{found.__name__}(")  # which dataclasses make up
    if isinstance(found, ModuleType):
        assert found.__name__.rpartition(".")[2] == name


@pytest.mark.parametrize("name", presets())
def test_every_preset_can_be_written_in_code(name):
    study = jaxflow.Study.load(name)
    names = {name: getattr(jaxflow, name) for name in NAMES}
    written = eval(repr(study), names)
    assert written == study
    assert written.protocol.hash == study.protocol.hash
    assert written.design.hash == study.design.hash


def test_importing_it_loads_nothing():
    code = "import sys, jaxflow; sys.exit(any(x in sys.modules for x in ('jax', 'numpy', 'rich')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
