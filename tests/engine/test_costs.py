"""The ladder of static shapes, and which coordinates are chosen or refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated import searched
from stores import ROW

from jaxflow.core.types import Point, Reach, Trial
from jaxflow.engine.costs import Costs, cheapest
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.settings import Lanes
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.problem import Shape, product_rung, samples_rung
from jaxflow.problems.shallow.costs import cost, flops
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.sampling.threshold import ThresholdPlan

SHALLOW = ShallowNetwork()
COSTS = Costs(SHALLOW, {"flow": GradientFlow(), "descent": GradientDescent(0.5)})
ADAM = GradientDescent(0.01, "adam")


def test_products_are_counted_by_hand():
    shape = Shape(D=3, N=5, P=2)
    assert flops("ambient", shape) == 2 * (2 * 5 * 3 * 2)  # W X^T and M X
    assert flops("span", shape) == 2 * 5 * 5 * 2  # C G
    assert flops("orthogonal", shape) == 0


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Shape(30, 800, 104), "ambient"),  # n > 2d
        (Shape(1000, 1024, 1024), "span"),
        (Shape(10_000, 96, 40), "span"),
    ],
)
def test_the_cheapest_by_shape(shape, expected):
    assert cheapest(ShallowNetwork(), GradientFlow(), shape) == expected
    others = {"ambient", "span"} - {expected}
    assert cost(expected, shape) < min(cost(name, shape) for name in others)


def test_orthogonal_inputs_have_coordinates_of_their_own():
    assert (
        cheapest(ShallowNetwork(Orthogonal()), GradientFlow(), Shape(100, 96, 40)) == "orthogonal"
    )


def test_what_is_wanted_is_taken_or_refused():
    shape = Shape(1000, 1024, 1024)
    assert cheapest(ShallowNetwork(), GradientFlow(), shape, "ambient") == "ambient"
    with pytest.raises(ValueError, match=r"ambient.*span.*orthogonal"):
        cheapest(ShallowNetwork(), GradientFlow(), shape, "orthogonal")


def test_updates_that_are_not_linear_stay_in_ambient_coordinates():
    assert cheapest(ShallowNetwork(Orthogonal()), ADAM, Shape(1000, 1024, 1024)) == "ambient"
    with pytest.raises(ValueError, match="ambient"):
        cheapest(ShallowNetwork(), ADAM, Shape(1000, 1024, 1024), "span")


@given(st.integers(1, 10**7))
def test_a_rung_holds_its_size_and_wastes_little(size):
    found = samples_rung(size)
    assert found >= size
    assert found % 16 == 0
    assert samples_rung(found) == found
    assert found - size < max(16, size if size <= 64 else size / 16)


def test_at_most_sixteen_rungs_an_octave():
    for low in (64, 1024, 4096):
        assert len({samples_rung(size) for size in range(low + 1, 2 * low + 1)}) <= 16


def test_products_go_by_whole_registers_where_that_adds_little():
    dimensions = (1, 10, 14, 15, 20, 29, 30, 32, 60, 90, 100, 145, 146)
    expected = (1, 10, 14, 16, 20, 29, 32, 32, 64, 96, 100, 145, 160)
    assert tuple(map(product_rung, dimensions)) == expected


def test_the_neurons_are_not_padded():
    assert SHALLOW.shape(Point(d=30, n=293, p=37)) == (32, 304, 37)


def test_few_samples_go_by_powers_of_two():
    buckets = [ShallowNetwork().shape(Point(3, n, 37)) for n in range(1, 65)]
    assert {shape.N for shape in buckets} == {16, 32, 64}
    assert all(n + 1 <= shape.N and shape.P == 37 for n, shape in enumerate(buckets))


def test_the_work_of_a_trial_grows_with_its_horizon_and_its_bucket():
    """An evaluation at (3, 60, 40) passes over 5 N P + 6 P D entries and makes 4 N D P flops."""
    point = Point(3, 60, 40)
    evaluation = 4 * 64 * 3 * 40 + 12 * (5 * 64 * 40 + 6 * 40 * 3)
    assert COSTS.evaluation(point) == evaluation
    assert COSTS.most(Trial("flow", point, 0, 2.0)) == 2 * evaluation
    assert COSTS.most(Trial("flow", Point(3, 64, 40), 5, 2.0)) == 2 * evaluation  # same bucket


def test_a_step_is_an_evaluation():
    point = Point(3, 60, 40)
    assert COSTS.most(Trial("descent", point, 0, 2.0)) == 4 * COSTS.evaluation(point)


def test_the_work_of_a_trial_that_has_ended_is_that_of_its_evaluations_padded_as_they_were():
    row = replace(ROW, d=3, n=60, p=40, evaluations=50, program="D3 N128 P40 B1 map ambient")
    assert COSTS.spent(row) == 50 * COSTS.evaluation(Point(3, 128, 40))
    assert COSTS.spent(replace(row, program="other")) == 50 * COSTS.evaluation(Point(3, 60, 40))


@pytest.mark.parametrize("name", ["span", "orthogonal", "polar"])
def test_coordinates_that_a_problem_has_not_are_refused_before_any_trial(name):
    lanes = Lanes(coordinates=name)
    with LocalRunner(ShallowNetwork(), {"adam": ADAM}, lanes=lanes) as runner:
        with pytest.raises(ValueError, match="coordinates in") as refused:
            runner.submit([Trial("adam", Point(3, 4, 8), 0, 1.0)])
        assert repr(name) in str(refused.value)


def reaching(n, *ends, trials=24, d=30, p=100, horizon=1000.0):
    """What a trial is padded to that may share a program with those up to the ends."""
    reach = Reach("n", (*ends, 3000), trials)
    return COSTS.shape(Trial("flow", Point(d, n, p), 0, horizon, reach))


def test_exploring_trials_share_few_shapes():
    assert {reaching(n).N for n in (150, 300, 512)} == {512}
    assert {reaching(n).N for n in (513, 1449, 2048)} == {2048}
    assert samples_rung(3000) == reaching(2900).N
    assert {reaching(n, horizon=1e4).N for n in (20, 30)} == {32}


def test_trials_about_a_threshold_share_the_one_that_holds_them():
    assert {reaching(n, 745, trials=99) for n in (650, 700, 745)} == {
        Shape(32, samples_rung(745), 100)
    }
    assert samples_rung(745) == reaching(700, 720, 745, trials=24).N  # that is there already
    assert samples_rung(720) == reaching(700, 720, 1500, trials=99).N


def test_what_is_cheap_is_not_compiled_more_narrowly():
    assert {reaching(n, n + 1, d=10, p=20).N for n in (5, 26, 100, 300)} == {512}


def test_what_is_costly_is_not_padded_more_than_it_must_be():
    costly = {"d": 1000, "p": 1000, "horizon": 1e4}
    assert samples_rung(600) == reaching(600, **costly).N
    assert samples_rung(700) == reaching(600, 700, **costly).N


def test_a_trial_that_shares_with_none_has_the_shape_of_its_point():
    point = Point(30, 100, 20)
    assert COSTS.shape(Trial("flow", point, 0, 1.0)) == ShallowNetwork().shape(point)


def test_sizes_that_are_not_padded_stay_what_they_are():
    point = Point(30, 100, 100)
    along_d = COSTS.shape(Trial("flow", point, 0, 1.0, Reach("d", (120, 300), 24)))
    assert along_d == ShallowNetwork().shape(point)
    along_p = COSTS.shape(Trial("flow", point, 0, 1e5, Reach("p", (130, 300), 24)))
    assert along_p == Shape(32, samples_rung(100), 130)


@given(
    st.integers(1, 5000), st.floats(1, 5), st.integers(1, 200), st.integers(1, 300),
    st.floats(1, 1e6), st.integers(1, 1000),
)  # fmt: skip
def test_every_shape_holds_its_trial(n, far, d, p, horizon, trials):
    end = int(far * n) + 1
    reach = Reach("n", (n + 1, end), trials)
    found = COSTS.shape(Trial("flow", Point(d, n, p), 0, horizon, reach))
    assert n <= found.N <= max(512, samples_rung(end)) and p == found.P and d <= found.D


def test_a_search_visits_few_shapes():
    """Forty simulated searches: those of the paper's demo, by Costs of its networks."""
    counts = []
    for seed in range(40):
        plan = ThresholdPlan(100, 3000, 0.03)
        search = searched(plan, (300 * 1.05**seed, 0.3, 0.02), seed)
        shapes = {COSTS.shape(trial) for trial in search.proposed}
        counts.append(len(shapes))
        assert len({ShallowNetwork().shape(trial.point) for trial in search.proposed}) > 5
    assert max(counts) <= 6 and sum(counts) / len(counts) < 3.5
