"""The peers agree with each other and with descent by hand; the roofline counts what XLA counts."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import relu_velocity

from benchmarks import experiment, large, machine, peers, rkc, roofline, steps, sweeps
from benchmarks.contestants import Case
from jaxflow import Point

D, N, P = 6, 20, 12
SUCCESS, STEPS, HORIZON = 4.0, 60, 25.0


@pytest.fixture(scope="module")
def batch():
    return peers.trials(D, N, P, 6)


@pytest.fixture(scope="module")
def torch():
    """PyTorch on one thread: its threads spin while they wait, beside other test workers."""
    pytest.importorskip("torch").set_num_threads(1)


def trial(batch, i):
    return (array[i] for array in batch)


def descent_by_hand(X, y, W, a):
    """(converged, steps) of descent on p L with step 1, in float64."""
    X, y, W, a = (np.asarray(v, np.float64) for v in (X, y, W, a))
    for step in range(STEPS + 1):
        W_step, a_step, value = relu_velocity(X, y, W, a)
        if value < SUCCESS / (2 * N):
            return True, step
        W, a = W + W_step, a + a_step
    return False, STEPS


def test_descents_take_the_steps_of_descent_by_hand(torch, batch):
    by_hand = [descent_by_hand(*trial(batch, i)) for i in range(6)]
    loop = [peers.torch_loop(*trial(batch, i), STEPS, SUCCESS)[:2] for i in range(6)]
    batched = peers.torch_batched(*batch, STEPS, SUCCESS)
    assert loop == by_hand
    assert list(zip(batched.converged, batched.steps, strict=True)) == by_hand
    assert 0 < sum(batched.converged) < 6  # both outcomes, and some end before DROP_EVERY
    assert min(batched.steps) < peers.DROP_EVERY < max(batched.steps)


@pytest.mark.parametrize(("steps", "expected"), [(0, (False, 0)), (24, (False, 24))])
def test_descents_stop_at_the_steps_allowed(torch, batch, steps, expected):
    assert peers.torch_loop(*trial(batch, 2), steps, SUCCESS)[:2] == expected
    converged, taken, _ = peers.torch_batched(*(v[2:3] for v in batch), steps, SUCCESS)
    assert (converged[0], taken[0]) == expected


def test_flows_converge_at_the_same_time_or_end_at_the_horizon(batch):
    some = [0, 4, 5]
    found = peers.diffrax_vmapped(*(v[some] for v in batch), HORIZON, SUCCESS, 1e-4, 1e-4)
    assert found.converged.tolist() == [True, False, True]
    for i, converged, flow_time in zip(some, found.converged, found.flow_time, strict=True):
        other = peers.scipy_flow(*trial(batch, i), HORIZON, SUCCESS)
        assert other.converged == converged
        assert flow_time == pytest.approx(other.flow_time, rel=0.02 if converged else 1e-6)


def ambient(X, y, W, a):
    Z = X @ W.T
    r = y - jnp.maximum(Z, 0) @ a / len(a)
    G = (r[:, None] * (Z > 0)).T @ X / len(y)
    return a[:, None] * G, (W * G).sum(1)


def span(G, y, Z, a):
    S = jnp.maximum(Z, 0)
    r = (y - S @ a / len(a)) / len(y)
    C = r[:, None] * (Z > 0) * a
    return C, G @ C, S.T @ r


def orthogonal(squares, y, Z, a):
    S = jnp.maximum(Z, 0)
    r = (y - S @ a / len(a)) / len(y)
    return (squares * r)[:, None] * (Z > 0) * a, S.T @ r


def test_three_coordinates_of_one_flow():
    n, d, p = 5, 7, 4
    draw = np.random.default_rng(0).standard_normal
    X, y, W, a = np.diag(draw(d))[:n], draw(n), draw((p, d)), draw(p)
    W_velocity, a_velocity, _ = relu_velocity(X, y, W, a)
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(ambient(X, y, W, a)[0], W_velocity, **close)
    C, Z_velocity, a_span = span(X @ X.T, y, X @ W.T, a)
    np.testing.assert_allclose(C.T @ X, W_velocity, **close)
    np.testing.assert_allclose(Z_velocity, X @ W_velocity.T, **close)
    np.testing.assert_allclose(a_span, a_velocity, **close)
    direct, a_orthogonal = orthogonal(np.sum(X**2, 1), y, X @ W.T, a)
    np.testing.assert_allclose(direct, X @ W_velocity.T, **close)
    np.testing.assert_allclose(a_orthogonal, a_velocity, **close)


@pytest.mark.parametrize("field", [ambient, span, orthogonal])
def test_flops_are_those_that_xla_counts(field):
    n, d, p = 200, 40, 60
    first = {"ambient": (n, d), "span": (n, n), "orthogonal": (n,)}[field.__name__]
    third = (p, d) if field is ambient else (n, p)
    args = (jnp.ones(shape) for shape in (first, (n,), third, (p,)))
    counted = jax.jit(field).lower(*args).compile().cost_analysis()["flops"]
    assert roofline.evaluation(field.__name__, n, d, p).flops == pytest.approx(counted, rel=0.02)


def test_bytes_by_hand():
    n, d, p = 3, 5, 7
    assert roofline.evaluation("ambient", n, d, p).bytes == 4 * (2 * 15 + 3 * 35 + 5 * 21)
    assert roofline.evaluation("ambient", n, d, p, cache=60).bytes == 4 * (15 + 3 * 35 + 5 * 21)
    assert roofline.evaluation("span", n, d, p, number=8).bytes == 8 * (9 + 5 * 21)
    assert roofline.evaluation("orthogonal", n, d, p).bytes == 4 * 3 * 21


@pytest.mark.parametrize(
    ("coordinates", "n", "d", "p", "binds"),
    [
        ("ambient", 4096, 4096, 4096, "compute"),
        ("ambient", 4096, 1, 1, "memory"),
        ("span", 4096, 1, 4096, "compute"),
        ("span", 4096, 1, 1, "memory"),
        ("orthogonal", 4096, 4096, 4096, "memory"),
    ],
)
def test_the_side_that_binds(coordinates, n, d, p, binds):
    peak, bandwidth = 1e13, 1e12  # 10 flops a byte
    found = roofline.model(coordinates, n, d, p, peak, bandwidth)
    assert found.binds == binds
    speed = {"compute": found.work.flops / peak, "memory": found.work.bytes / bandwidth}
    assert found.seconds == speed[binds] == max(speed.values())


def test_span_saves_work_below_two_samples_a_dimension():
    ambient, span = (
        [roofline.evaluation(c, n, 100, 100).flops for n in (150, 250)] for c in ("ambient", "span")
    )
    assert span[0] < ambient[0] and ambient[1] < span[1]


def test_machine_is_described_and_measured():
    found = machine.description()
    assert found["cpu"] and found["cores"] >= 1 and found["memory_gib"] > 0
    assert found["jax"] == jax.__version__ and found["numpy"] == np.__version__
    assert machine.product_peak(size=64) > 0
    assert machine.stream_bandwidth(size=2**12) > 0
    assert machine.peak_memory() > 2**20


def test_what_runs_on_a_gpu_runs_here_at_small_size(monkeypatch):
    """Experiment 1.0 and the orthogonal network: all trials end, and take a part of the peak."""
    monkeypatch.setattr(experiment, "D", 5)
    monkeypatch.setattr(experiment, "GRID", range(20, 61, 20))
    monkeypatch.setattr(experiment, "REPETITIONS", 4)
    found = experiment.measure()
    assert found["trials"] == 12 and found["programs"] >= 1
    assert 0 < found["share_of_peak"] < 1 and 0 < found["utilization"] <= 1
    row = sweeps.orthogonal_alone(40)
    assert row["outcome"] == "CONVERGED" and row["flow_time"] > 0


def test_a_simulated_study_ends_about_its_truth():
    trials, _ = sweeps.simulated(0)
    assert 50 < trials < 500
    assert sum(sweeps.simulated(seed)[1] for seed in range(5)) >= 3


def test_what_a_step_takes_is_told_by_its_parts(monkeypatch):
    """The last two are differences of walls, which noise can turn where a trial takes so little."""
    small = Case("small", Point(5, 20, 8))
    monkeypatch.setattr(steps, "CASES", (small,))
    monkeypatch.setattr(steps, "REPETITIONS", 2)
    (found,) = steps.measure()
    assert found["case"] == "small"
    walls = ("products", "field", "padded", "draw", "products_gflops")
    assert all(found[name] > 0 for name in walls)
    assert np.isfinite([found["descent"], found["flow"]]).all()


def test_the_page_of_large_studies_has_the_numbers_of_their_file():
    text = large.PAGE.read_text()
    assert large.page(text, json.loads(large.RESULT.read_text())) == text


def test_the_page_of_rkc_has_the_numbers_of_their_file():
    """And on stiff problems RKC2 has the accuracy of others for a fraction of Tsit5's work."""
    text, found = rkc.PAGE.read_text(), json.loads(rkc.RESULT.read_text())
    assert rkc.page(text, found) == text
    assert list(found) == list(rkc.PROBLEMS)
    *stiff, mild = found.values()
    for solvers in stiff:
        assert solvers["RKC2"]["evaluations"] < solvers["Tsit5"]["evaluations"] / 20
        assert solvers["RKC2"]["error"] < 1e-3
    assert mild["RKC2"]["evaluations"] > mild["Tsit5"]["evaluations"]


def test_evaluations_of_rkc_are_counted(x64):
    """Six a step of Tsit5, and two beside them: for the first step and for its length."""
    problem = rkc.Problem(lambda y: -y, np.ones(2), 1.0, np.exp([-1.0, -1.0]))
    solve, steps, evaluations = rkc.by_diffrax(problem, rkc.SOLVERS["Tsit5"])
    assert 6 * steps < evaluations <= 6 * steps + 3
    np.testing.assert_allclose(solve(), problem.end, rtol=1e-3)
