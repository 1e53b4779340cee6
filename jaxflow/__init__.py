"""Phase diagrams of training dynamics: where does an event's probability cross one half?

    import jaxflow as jf

    found = jf.Study.load("demo").run("runs/demo")  # a preset, or the path of a TOML file
    print(found.table())

The public names are loaded when first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jaxflow.core import __version__ as __version__

if TYPE_CHECKING:
    from jaxflow import papers as papers
    from jaxflow import plot as plot
    from jaxflow import report as report
    from jaxflow.core.machine import configure as configure
    from jaxflow.core.types import Outcome as Outcome
    from jaxflow.core.types import Point as Point
    from jaxflow.core.types import Recording as Recording
    from jaxflow.core.types import Row as Row
    from jaxflow.core.types import Trial as Trial
    from jaxflow.engine.local import LocalRunner as LocalRunner
    from jaxflow.engine.runner import Runner as Runner
    from jaxflow.engine.settings import Lanes as Lanes
    from jaxflow.flow.descent import GradientDescent as GradientDescent
    from jaxflow.flow.descent import Optax as Optax
    from jaxflow.flow.edge import EdgeFlow as EdgeFlow
    from jaxflow.flow.events import Above as Above
    from jaxflow.flow.events import Below as Below
    from jaxflow.flow.events import Certificate as Certificate
    from jaxflow.flow.events import Never as Never
    from jaxflow.flow.flow import GradientFlow as GradientFlow
    from jaxflow.flow.iteration import Iteration as Iteration
    from jaxflow.flow.linearized import LinearizedFlow as LinearizedFlow
    from jaxflow.flow.stabilized import RKC1 as RKC1
    from jaxflow.flow.stabilized import RKC2 as RKC2
    from jaxflow.problems import losses as losses
    from jaxflow.problems.checking import check_problem as check_problem
    from jaxflow.problems.dataset import Dataset as Dataset
    from jaxflow.problems.examples.committee import Committee as Committee
    from jaxflow.problems.examples.deep_linear import DeepLinear as DeepLinear
    from jaxflow.problems.examples.deep_network import DeepNetwork as DeepNetwork
    from jaxflow.problems.examples.jamming import Jamming as Jamming
    from jaxflow.problems.examples.least_squares import LeastSquares as LeastSquares
    from jaxflow.problems.examples.logistic_regression import (
        LogisticRegression as LogisticRegression,
    )
    from jaxflow.problems.examples.matrix_sensing import MatrixSensing as MatrixSensing
    from jaxflow.problems.examples.perceptron import Perceptron as Perceptron
    from jaxflow.problems.examples.phase_retrieval import PhaseRetrieval as PhaseRetrieval
    from jaxflow.problems.examples.quadratic_network import QuadraticNetwork as QuadraticNetwork
    from jaxflow.problems.examples.random_features import RandomFeatures as RandomFeatures
    from jaxflow.problems.examples.spherical_perceptron import (
        SphericalPerceptron as SphericalPerceptron,
    )
    from jaxflow.problems.problem import Problem as Problem
    from jaxflow.problems.shallow import laws as laws
    from jaxflow.problems.shallow.activations import GELU as GELU
    from jaxflow.problems.shallow.activations import LeakyReLU as LeakyReLU
    from jaxflow.problems.shallow.activations import Monomial as Monomial
    from jaxflow.problems.shallow.activations import Quadratic as Quadratic
    from jaxflow.problems.shallow.activations import ReLU as ReLU
    from jaxflow.problems.shallow.activations import Softplus as Softplus
    from jaxflow.problems.shallow.activations import Tanh as Tanh
    from jaxflow.problems.shallow.initialization import Antisymmetric as Antisymmetric
    from jaxflow.problems.shallow.initialization import Balanced as Balanced
    from jaxflow.problems.shallow.initialization import Dominated as Dominated
    from jaxflow.problems.shallow.initialization import ExplicitWeights as ExplicitWeights
    from jaxflow.problems.shallow.initialization import GaussianWeights as GaussianWeights
    from jaxflow.problems.shallow.initialization import Group as Group
    from jaxflow.problems.shallow.inputs import ExplicitInputs as ExplicitInputs
    from jaxflow.problems.shallow.inputs import Gaussian as Gaussian
    from jaxflow.problems.shallow.inputs import Orthogonal as Orthogonal
    from jaxflow.problems.shallow.inputs import Rademacher as Rademacher
    from jaxflow.problems.shallow.inputs import Sphere as Sphere
    from jaxflow.problems.shallow.inputs import Student as Student
    from jaxflow.problems.shallow.labels import ExplicitLabels as ExplicitLabels
    from jaxflow.problems.shallow.labels import GaussianLabels as GaussianLabels
    from jaxflow.problems.shallow.labels import GroupSigns as GroupSigns
    from jaxflow.problems.shallow.labels import RandomSigns as RandomSigns
    from jaxflow.problems.shallow.labels import Teacher as Teacher
    from jaxflow.problems.shallow.network import Network as Network
    from jaxflow.problems.shallow.shallow_network import ShallowNetwork as ShallowNetwork
    from jaxflow.problems.supervised import Supervised as Supervised
    from jaxflow.report.soundness import check as check
    from jaxflow.report.soundness import merge as merge
    from jaxflow.sampling.axes import Axes as Axes
    from jaxflow.sampling.axes import Horizon as Horizon
    from jaxflow.sampling.axes import Range as Range
    from jaxflow.sampling.design import Design as Design
    from jaxflow.sampling.grid import GridPlan as GridPlan
    from jaxflow.sampling.rules import GroupCount as GroupCount
    from jaxflow.sampling.rules import StepsOfDescent as StepsOfDescent
    from jaxflow.sampling.rules import WellInitializedWidth as WellInitializedWidth
    from jaxflow.sampling.threshold import ThresholdPlan as ThresholdPlan
    from jaxflow.show.asking import threshold as threshold
    from jaxflow.show.asking import transition as transition
    from jaxflow.show.asking import trial as trial
    from jaxflow.show.black_box import BlackBox as BlackBox
    from jaxflow.show.result import Result as Result
    from jaxflow.show.running import run as run
    from jaxflow.statistics.counts import Tally as Tally
    from jaxflow.statistics.posterior import Posterior as Posterior
    from jaxflow.store.store import Store as Store
    from jaxflow.study.protocol import Protocol as Protocol
    from jaxflow.study.runners import Cluster as Cluster
    from jaxflow.study.study import Study as Study

_HOMES = {
    "Above": "flow.events",
    "Axes": "sampling.axes",
    "Antisymmetric": "problems.shallow.initialization",
    "Balanced": "problems.shallow.initialization",
    "Below": "flow.events",
    "BlackBox": "show.black_box",
    "Certificate": "flow.events",
    "Cluster": "study.runners",
    "Committee": "problems.examples.committee",
    "Dataset": "problems.dataset",
    "DeepLinear": "problems.examples.deep_linear",
    "DeepNetwork": "problems.examples.deep_network",
    "Design": "sampling.design",
    "Dominated": "problems.shallow.initialization",
    "EdgeFlow": "flow.edge",
    "LinearizedFlow": "flow.linearized",
    "ExplicitInputs": "problems.shallow.inputs",
    "ExplicitLabels": "problems.shallow.labels",
    "ExplicitWeights": "problems.shallow.initialization",
    "GELU": "problems.shallow.activations",
    "Gaussian": "problems.shallow.inputs",
    "GaussianLabels": "problems.shallow.labels",
    "GaussianWeights": "problems.shallow.initialization",
    "GradientDescent": "flow.descent",
    "GradientFlow": "flow.flow",
    "GridPlan": "sampling.grid",
    "Group": "problems.shallow.initialization",
    "GroupCount": "sampling.rules",
    "GroupSigns": "problems.shallow.labels",
    "Horizon": "sampling.axes",
    "Iteration": "flow.iteration",
    "Jamming": "problems.examples.jamming",
    "Lanes": "engine.settings",
    "LeakyReLU": "problems.shallow.activations",
    "LeastSquares": "problems.examples.least_squares",
    "LocalRunner": "engine.local",
    "LogisticRegression": "problems.examples.logistic_regression",
    "MatrixSensing": "problems.examples.matrix_sensing",
    "Monomial": "problems.shallow.activations",
    "Network": "problems.shallow.network",
    "Never": "flow.events",
    "Optax": "flow.descent",
    "Orthogonal": "problems.shallow.inputs",
    "Outcome": "core.types",
    "Perceptron": "problems.examples.perceptron",
    "PhaseRetrieval": "problems.examples.phase_retrieval",
    "Point": "core.types",
    "Posterior": "statistics.posterior",
    "Problem": "problems.problem",
    "Protocol": "study.protocol",
    "Quadratic": "problems.shallow.activations",
    "QuadraticNetwork": "problems.examples.quadratic_network",
    "RKC1": "flow.stabilized",
    "RKC2": "flow.stabilized",
    "Rademacher": "problems.shallow.inputs",
    "RandomFeatures": "problems.examples.random_features",
    "RandomSigns": "problems.shallow.labels",
    "Range": "sampling.axes",
    "ReLU": "problems.shallow.activations",
    "Recording": "core.types",
    "Result": "show.result",
    "Row": "core.types",
    "Runner": "engine.runner",
    "ShallowNetwork": "problems.shallow.shallow_network",
    "Softplus": "problems.shallow.activations",
    "Sphere": "problems.shallow.inputs",
    "SphericalPerceptron": "problems.examples.spherical_perceptron",
    "StepsOfDescent": "sampling.rules",
    "Store": "store.store",
    "Student": "problems.shallow.inputs",
    "Study": "study.study",
    "Supervised": "problems.supervised",
    "Tally": "statistics.counts",
    "Tanh": "problems.shallow.activations",
    "Teacher": "problems.shallow.labels",
    "ThresholdPlan": "sampling.threshold",
    "Trial": "core.types",
    "WellInitializedWidth": "sampling.rules",
    "check": "report.soundness",
    "check_problem": "problems.checking",
    "configure": "core.machine",
    "laws": "problems.shallow.laws",
    "losses": "problems.losses",
    "merge": "report.soundness",
    "papers": "papers",
    "plot": "plot",
    "report": "report",
    "run": "show.running",
    "threshold": "show.asking",
    "transition": "show.asking",
    "trial": "show.asking",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jaxflow' has no attribute {name!r}")
    home = import_module(f"jaxflow.{_HOMES[name]}")
    return home if _HOMES[name].rpartition(".")[2] == name else getattr(home, name)


def __dir__() -> list[str]:
    return __all__
