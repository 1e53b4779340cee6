"""What follows from a problem being written one sample at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import ROUNDING, keys_of

from jaxflow.core.names import with_traced
from jaxflow.core.types import Point
from jaxflow.problems import losses
from jaxflow.problems.dataset import Dataset
from jaxflow.problems.examples.deep_network import DeepNetwork
from jaxflow.problems.examples.perceptron import Perceptron
from jaxflow.problems.examples.phase_retrieval import PhaseRetrieval
from jaxflow.problems.problem import Shape, Sizes, State
from jaxflow.problems.supervised import Supervised

D, P = 4, 3
KEYS = keys_of(0, D, 10, P, 0)


def prepared(problem, n=10, N=None, dtype="float32", keys=KEYS):
    return problem.prepare(keys, Sizes(D, n, P), Shape(D, N or n, P), dtype)


def assert_same(one, other):
    """But for the rounding of float32, which is that of a program of its shape."""
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=ROUNDING)


@pytest.mark.parametrize("problem", [Perceptron(), PhaseRetrieval(), DeepNetwork(label_noise=0.3)])
def test_padding_and_more_samples_change_no_sample(problem):
    data, first = prepared(problem)
    padded, same = prepared(problem, N=16)
    longer, _ = prepared(problem, n=13)
    for other in (padded, longer):
        assert_same(data[:2], jax.tree.map(lambda leaf: leaf[:10], other[:2]))
    assert_same(first, same)
    np.testing.assert_array_equal(padded.weights, [*[np.float32(0.1)] * 10, *[0] * 6])
    moved = jax.tree.map(lambda leaf: leaf + 0.1, first)
    alone, beside = (float(problem.objective(x, moved)) for x in (data, padded))
    assert alone == pytest.approx(beside, 1e-6)
    assert float(problem.error(data, moved)) == pytest.approx(float(problem.error(padded, moved)))
    assert problem.smallest_margin(data, moved) == problem.smallest_margin(padded, moved)


def test_the_loss_is_the_mean_by_hand():
    data, _ = prepared(Perceptron(), N=16)
    w = np.arange(1.0, D + 1)
    x, y = np.asarray(data.x[:10], np.float64), np.asarray(data.y[:10], np.float64)
    expected = np.mean(np.maximum(1 - y * (x @ w), 0) ** 2) / 2
    assert float(Perceptron().objective(data, jnp.asarray(w))) == pytest.approx(expected, rel=1e-6)
    slope = -(np.maximum(1 - y * (x @ w), 0) * y) @ x / 10
    found = Perceptron().field(data, jnp.asarray(w, jnp.float32))
    np.testing.assert_allclose(found, -slope, rtol=1e-5, atol=1e-6)


def test_label_noise_turns_the_part_of_labels_that_it_says():
    clean, _ = prepared(DeepNetwork(), n=2000)
    noisy, _ = prepared(DeepNetwork(label_noise=0.2), n=2000)
    np.testing.assert_array_equal(clean.x, noisy.x)
    assert np.mean(clean.y != noisy.y) == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / 2000))
    traced = with_traced(DeepNetwork(), "label_noise", jnp.float32(0.2))
    np.testing.assert_array_equal(prepared(traced, n=2000)[0].y, noisy.y)
    real, _ = prepared(PhaseRetrieval(), n=2000)
    moved, _ = prepared(PhaseRetrieval(label_noise=0.5), n=2000)
    assert np.std(moved.y - real.y) == pytest.approx(0.5, rel=0.1)


def test_fresh_samples_are_of_the_same_nature_and_without_noise():
    problem = PhaseRetrieval(label_noise=3.0, test_samples=50)
    data, first = prepared(problem)
    sizes, shape = Sizes(D, 10, P), Shape(D, 10, P)
    fresh = problem.context(("test_loss",), KEYS, sizes, shape, data, first)
    assert problem.context(("loss",), KEYS, sizes, shape, data, first) is None
    v = problem.nature(KEYS.nature, sizes)
    np.testing.assert_allclose(fresh.y, (fresh.x @ v) ** 2, rtol=1e-4, atol=1e-6)
    assert len(fresh.y) == fresh.n == 50
    assert not np.isin(np.asarray(fresh.x), np.asarray(data.x)).any()
    seen = problem.observe(("test_loss",), State(data, v, v, first, fresh))
    assert float(seen[0]) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("n", [10, 9])
def test_passes_take_every_sample_once_in_another_order_each(n):
    data, _ = prepared(Perceptron(), n=n, N=16)
    places = {float(x): i for i, x in enumerate(data.x[:, 0])}
    taken = [
        [
            places[float(x)]
            for x in Perceptron().batch(data, KEYS.start, jnp.int32(step), 3, False).x[:, 0]
        ]
        for step in range(2 * (n // 3))
    ]
    passes = [[x for one in taken[i : i + n // 3] for x in one] for i in (0, n // 3)]
    for one in passes:
        assert len(set(one)) == 3 * (n // 3) and max(one) < n
    assert passes[0] != passes[1]


def test_batches_with_replacement_are_uniform_over_the_true_samples():
    data, _ = prepared(Perceptron(), n=10, N=16)
    batch = Perceptron().batch(data, KEYS.start, jnp.int32(5), 5000, True)
    counts = np.array([np.sum(batch.x[:, 0] == x) for x in data.x[:, 0]])
    assert counts[10:].sum() == 0
    assert np.all(np.abs(counts[:10] - 500) < 5 * np.sqrt(500))
    assert float(batch.weights.sum()) == pytest.approx(1, rel=1e-5)


def test_named_losses():
    f, y = jnp.float32(0.3), jnp.float32(-1)
    assert float(losses.squared_error(f, y)) == pytest.approx(1.3**2 / 2)
    assert float(losses.hinge(f, y)) == pytest.approx(1.3)
    assert float(losses.squared_hinge(f, y)) == pytest.approx(1.3**2 / 2)
    assert float(losses.logistic(f, y)) == pytest.approx(np.log1p(np.exp(0.3)))
    scores = np.array([0.1, -0.4, 2.0])
    expected = -np.log(np.exp(scores[1]) / np.exp(scores).sum())
    assert float(losses.cross_entropy(jnp.asarray(scores), jnp.int32(1))) == pytest.approx(
        expected, rel=1e-6
    )
    assert Perceptron.labels == "signs" and PhaseRetrieval.labels == "real"
    with pytest.raises(ValueError, match=r"loss of Wrong.*hinge"):
        type("Wrong", (Supervised,), {"loss": "hing"})


def test_the_certificate_is_the_loss_at_which_every_sign_is_right():
    data, _ = prepared(Perceptron(), N=16)
    assert float(Perceptron().target(data, None)) == pytest.approx(0.5 / 10)  # loss(0) = 1/2
    assert float(Perceptron().target(data, 0.3)) == pytest.approx(0.3 / 20)
    real, _ = prepared(PhaseRetrieval(), N=16)
    expected = np.min(np.asarray(real.y[:10]) ** 2) / 40
    assert float(PhaseRetrieval().target(real, None)) == pytest.approx(expected)


class Classes(Perceptron):
    loss = "cross_entropy"


def test_margins_of_classes():
    margin = Classes().margin(jnp.asarray([0.5, 2.0, -1.0]), jnp.int32(1))
    assert float(margin) == pytest.approx(1.5)
    assert float(Classes().margin(jnp.asarray([0.5, 2.0, -1.0]), jnp.int32(0))) == pytest.approx(
        -1.5
    )
    with pytest.raises(ValueError, match=r"label noise that Classes defines.*define corrupt"):
        Classes(label_noise=0.1).corrupt(KEYS.start, jnp.int32(1))


class Linear(Dataset):
    loss = "logistic"

    def start(self, key, point):
        return jnp.zeros(2)

    def predict(self, parameters, x):
        return parameters @ x


def test_real_data_come_without_replacement_and_the_rest_tests(tmp_path):
    path = tmp_path / "data.npz"
    x = np.arange(40.0).reshape(20, 2)
    np.savez(path, x=x, y=np.sign(np.arange(20) - 9.5))
    problem = Linear(path=str(path), test_samples=100)
    data, first = prepared(problem, n=12, N=16)
    rows = np.asarray(data.x[:12, 0])
    assert len(set(rows)) == 12
    sizes = Sizes(D, jnp.int32(12), P)
    fresh = problem.context(("test_error",), KEYS, sizes, Shape(D, 16, P), data, first)
    rest = np.asarray(fresh.x[:8, 0])
    assert int(fresh.n) == 8 and set(rows) | set(rest) == set(x[:, 0])
    other, _ = prepared(problem, n=12, keys=keys_of(0, D, 10, P, 1))
    assert list(other.x[:, 0]) != list(rows)
    with pytest.raises(ValueError, match="n < 20, the samples"):
        problem.check(Point(D, 20, P))
    np.savez(path, x=x + 1, y=np.sign(np.arange(20) - 9.5))
    from jaxflow.problems import dataset

    dataset._load.cache_clear()
    with pytest.raises(ValueError, match=r"arrays of SHA-256 .* put that file back"):
        Linear(path=str(path), sha256=problem.sha256)
    with pytest.raises(ValueError, match=r"an \.npz file with arrays x and y"):
        Linear(path=str(tmp_path / "none.npz"))
