"""A study is tried before it is run: what this machine computes, and what its problem draws."""

from jaxflow.core.types import Point, Trial
from jaxflow.engine.reference import check_numerics
from jaxflow.flow.checking import check_dynamics
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.edge import EdgeFlow
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.linearized import LinearizedFlow
from jaxflow.study.drawing import problem_of
from jaxflow.study.study import Study

OURS = (GradientFlow, GradientDescent, EdgeFlow, LinearizedFlow)


def try_problem(study: Study) -> Point:
    """The point at which the problem was tried, the first of the study.

    Raises a one-line `ValueError` where this machine does not compute what it should, or where the
    problem, a law of it or a dynamics of the user's breaks its word.
    """
    check_numerics(study.precision)
    slice = next(study.slices())
    point = slice.base.moved(slice.along, slice.plan.low)
    problem = problem_of(study, Trial(slice.dynamics, point, 0, 1.0))
    problem.try_out(point, study.seed)
    for rule in study.dynamics.values():
        if type(rule) not in OURS:
            check_dynamics(rule, problem, point, study.seed)
    return point
