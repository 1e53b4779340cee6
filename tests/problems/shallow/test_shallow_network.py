"""Draws: prefix-stable, independent of padding, and of the law they claim."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import ROUNDING, drawn, keys_of
from scipy import stats

from jaxflow.core.keys import Uniforms
from jaxflow.core.types import Point
from jaxflow.problems.problem import Shape
from jaxflow.problems.shallow.initialization import (
    Antisymmetric,
    Balanced,
    Dominated,
    ExplicitWeights,
    GaussianWeights,
    Group,
)
from jaxflow.problems.shallow.inputs import (
    ExplicitInputs,
    Gaussian,
    Orthogonal,
    Rademacher,
    Sphere,
    Student,
    _student,
)
from jaxflow.problems.shallow.labels import (
    ExplicitLabels,
    GaussianLabels,
    GroupSigns,
    RandomSigns,
    Teacher,
)
from jaxflow.problems.shallow.shallow_network import ShallowNetwork, well_initialized

ENSEMBLES = [
    ShallowNetwork(),
    ShallowNetwork(inputs=Gaussian(), labels=GaussianLabels(), initialization=GaussianWeights()),
    ShallowNetwork(labels=Teacher(3), initialization=GaussianWeights("1/d", "ones")),
    ShallowNetwork(initialization=Balanced(0.3)),
    ShallowNetwork(initialization=Antisymmetric(0.3)),
    ShallowNetwork(initialization=Dominated(shrink=0.01)),
    ShallowNetwork(inputs=Rademacher()),
    ShallowNetwork(inputs=Student(2.5)),
]


def same_key(problem, n, p, shape):
    """A draw whose key does not depend on n and p."""
    from jaxflow.problems.problem import Sizes
    from jaxflow.problems.shallow.shallow_network import draw

    return draw(problem, keys_of(7, 1, 1, 1, 0), Sizes(5, n, p), shape, "float32")


@pytest.mark.parametrize("problem", ENSEMBLES, ids=range(len(ENSEMBLES)))
def test_prefixes_and_padding_change_nothing_but_rounding(problem):
    """Between programs of two shapes, which one version of XLA compiles to equal bits."""
    data, theta = same_key(problem, 30, 12, Shape(5, 30, 12))
    less, theta_less = same_key(problem, 17, 7, Shape(8, 40, 16))
    np.testing.assert_allclose(less.X[:17, :5], data.X[:17], rtol=ROUNDING)
    np.testing.assert_allclose(theta_less.W[:7, :5], theta.W[:7], rtol=ROUNDING)
    np.testing.assert_allclose(theta_less.a[:7], theta.a[:7], rtol=ROUNDING)
    exact = not isinstance(problem.labels, Teacher)  # whose labels are a product
    np.testing.assert_allclose(less.y[:17], data.y[:17], rtol=ROUNDING if exact else 1e-6)
    for padding in (less.X[17:], less.X[:, 5:], less.y[17:], theta_less.W[7:], theta_less.a[7:]):
        assert not np.any(padding)


def test_a_batch_draws_what_its_lanes_draw_alone():
    keys = [keys_of(0, 5, 30, 12, seed) for seed in range(4)]
    stacked = jax.tree.map(lambda *k: jnp.stack(k), *keys)
    many = jax.vmap(lambda key: Uniforms(key, 30, 5).entries)(stacked.samples)
    for i, key in enumerate(keys):
        np.testing.assert_array_equal(many[i], Uniforms(key.samples, 30, 5).entries)


def test_seeds_points_and_studies_differ():
    keys = {np.asarray(keys_of(*k).samples).tobytes() for k in [(0, 5, 9, 3, 0), (0, 5, 9, 3, 1)]}
    keys |= {np.asarray(keys_of(*k).samples).tobytes() for k in [(1, 5, 9, 3, 0), (0, 5, 8, 3, 0)]}
    assert len(keys) == 4


def test_published_problem_has_its_laws():
    d, n = 5, 4000
    data, theta = drawn(d=d, n=n, p=n)
    radius = np.linalg.norm(data.X, axis=1)
    excess = np.abs(theta.a) - np.linalg.norm(theta.W, axis=1)
    cosine = np.asarray(data.X[:, 0]) / radius  # (1 + cosine)/2 is Beta((d-1)/2, (d-1)/2)
    for sample, law in [
        (radius, stats.uniform(1, 1)),
        (np.abs(data.y), stats.uniform(1, 1)),
        ((1 + cosine) / 2, stats.beta((d - 1) / 2, (d - 1) / 2)),
        (np.asarray(theta.W).ravel(), stats.uniform(-1 / d**0.5, 2 / d**0.5)),
        (excess, stats.expon()),
    ]:
        assert stats.kstest(sample, law.cdf).pvalue > 1e-3
    for signs in (np.asarray(data.y) > 0, np.asarray(theta.a) > 0):
        assert stats.binomtest(int(signs.sum()), n).pvalue > 1e-3


def test_gaussian_laws():
    problem = ENSEMBLES[1]
    data, theta = drawn(problem, d=5, n=3000, p=3000)
    for sample in (np.asarray(data.X).ravel(), data.y, np.asarray(theta.W).ravel()):
        assert stats.kstest(np.asarray(sample), "norm").pvalue > 1e-3
    assert set(np.unique(theta.a)) == {-1.0, 1.0}


def test_antisymmetric_neurons_cancel():
    """The network is zero at the start, of any size, from entries of their law and balanced."""
    problem = ShallowNetwork(initialization=Antisymmetric(3.0))
    data, theta = drawn(problem, d=5, n=30, p=400)
    np.testing.assert_array_equal(theta.W[::2], theta.W[1::2])
    np.testing.assert_array_equal(theta.a[::2], -theta.a[1::2])
    np.testing.assert_allclose(np.abs(theta.a), np.linalg.norm(theta.W, axis=1), rtol=1e-6)
    law = stats.uniform(-3 / 5**0.5, 6 / 5**0.5)
    assert stats.kstest(np.asarray(theta.W[::2]).ravel(), law.cdf).pvalue > 1e-3
    outputs = np.maximum(np.asarray(data.X) @ np.asarray(theta.W).T, 0) @ np.asarray(theta.a)
    np.testing.assert_allclose(outputs, 0, atol=1e-4)
    with pytest.raises(ValueError, match="an even width for pairs of neurons, got 'p = 7'"):
        problem.check(Point(5, 30, 7))


def test_rademacher_inputs_are_corners_of_a_cube():
    """Every entry +-|x|/sqrt(d), the signs independent, and |x| uniform."""
    d, n = 6, 4000
    X = np.asarray(drawn(ShallowNetwork(Rademacher(1.0, 3.0)), d=d, n=n)[0].X)
    radius = np.linalg.norm(X, axis=1)
    np.testing.assert_allclose(np.abs(X), np.tile(radius[:, None] / d**0.5, d), rtol=1e-5)
    assert stats.kstest(radius, stats.uniform(1, 2).cdf).pvalue > 1e-3
    corner = (X > 0) @ 2 ** np.arange(d)
    assert stats.chisquare(np.bincount(corner, minlength=2**d)).pvalue > 1e-3


@pytest.mark.parametrize("nu", [2.5, 4.0, 100.0])
def test_student_inputs_have_the_tails_of_their_entries(nu):
    """In d = 2 the ratio of two t's against SciPy's; norms are uniform whatever the entries are."""
    n = 4000
    data, _ = drawn(ShallowNetwork(Student(nu)), d=2, n=n)
    X = np.asarray(data.X, float)
    rng = np.random.default_rng(0)
    t = stats.t(nu).rvs((100_000, 2), random_state=rng)
    ours, known = np.abs(X[:, 0] / X[:, 1]), np.abs(t[:, 0] / t[:, 1])
    assert stats.ks_2samp(ours, known).pvalue > 1e-3
    assert stats.kstest(np.linalg.norm(X, axis=1), stats.uniform(1, 1).cdf).pvalue > 1e-3
    for k in range(2):
        assert stats.binomtest(int(np.sum(X[:, k] > 0)), n).pvalue > 1e-3
    assert np.isfinite(X).all()


def test_student_entries_are_students():
    uniforms = Uniforms(keys_of(0, 4, 1000, 1, 0).samples, 1000, 4)
    t = np.asarray(_student(uniforms, 3.0), float)
    for k in range(4):
        assert stats.kstest(t[:, k], stats.t(3).cdf).pvalue > 1e-3
    assert abs(stats.spearmanr(t[:, 0], t[:, 1]).statistic) < 3.3 / 1000**0.5
    np.testing.assert_array_equal(_student(Uniforms(uniforms.key, 30, 2), 3.0), t[:30, :2])


def test_orthogonal_group_problem():
    problem = ShallowNetwork(Orthogonal(1.0, 1.0), GroupSigns(), initialization=Group(0.1))
    data, theta = drawn(problem, d=12, n=12, p=3)
    active = np.asarray(theta.W @ data.X.T) > 0
    member = np.arange(12)[None, :] % 3 == np.arange(3)[:, None]
    np.testing.assert_array_equal(active, member)
    assert np.all(np.sign(theta.a)[:, None] * np.sign(data.y)[None, :] * member >= 0)
    np.testing.assert_allclose(np.abs(theta.a), np.linalg.norm(theta.W, axis=1), rtol=1e-6)


def test_teacher_labels_are_the_teachers():
    data, _ = drawn(ShallowNetwork(Gaussian(), Teacher(2)), d=4, n=50, p=2)
    V = 2**0.5 * stats.norm.ppf(np.asarray(Uniforms(keys_of(0, 4, 50, 2, 0).nature, 2, 4).entries))
    V = V / 2**0.5 / 4**0.5
    np.testing.assert_allclose(data.y, ((np.asarray(data.X) @ V.T) ** 2).sum(1), rtol=1e-4)


def test_explicit_arrays():
    rows, labels = ((1.0, 0.0), (0.0, 1.0)), (1.0, -1.0)
    weights = ExplicitWeights(((0.1, 2.0), (-0.5, 0.5)), (0.1, -1.0))
    problem = ShallowNetwork(ExplicitInputs(rows), ExplicitLabels(labels), initialization=weights)
    data, theta = drawn(problem, d=2, n=2, p=2)
    np.testing.assert_array_equal(data.X, rows)
    np.testing.assert_array_equal(data.y, labels)
    np.testing.assert_allclose(theta.W, weights.W)


@pytest.mark.parametrize("seed", range(12))
def test_well_initialized_by_brute_force(seed):
    data, theta = drawn(d=3, n=12, p=5, seed=seed, shape=Shape(3, 16, 8))
    expected = all(
        any(theta.a[j] * data.y[i] > 0 and theta.W[j] @ data.X[i] > 0 for j in range(5))
        for i in range(12)
    )
    assert bool(well_initialized(data, theta)) == expected


@pytest.mark.parametrize(
    ("problem", "point", "word"),
    [
        (ShallowNetwork(), Point(-3, 5, 5), "d >= 1"),
        (ShallowNetwork(), Point(3, 0, 5), "n >= 1"),
        (ShallowNetwork(inputs=Orthogonal()), Point(3, 5, 5), "n <= d"),
        (ShallowNetwork(initialization=Group()), Point(9, 2, 5), "p <= n"),
        (ShallowNetwork(inputs=ExplicitInputs(((1.0,),))), Point(1, 2, 5), "explicit inputs"),
        (ShallowNetwork(labels=ExplicitLabels((1.0,))), Point(1, 2, 5), "explicit labels"),
        (
            ShallowNetwork(initialization=ExplicitWeights(((1.0,),), (1.0,))),
            Point(1, 2, 5),
            "weights",
        ),
    ],
)
def test_points_without_a_sample(problem, point, word):
    with pytest.raises(ValueError, match=word) as caught:
        problem.check(point)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "law",
    [
        lambda: Sphere(2.0, 1.0),
        lambda: Gaussian(0.0),
        lambda: Rademacher(2.0, 1.0),
        lambda: Student(2.0),
        lambda: Student(3.0, 2.0, 1.0),
        lambda: RandomSigns(0.0, 1.0),
        lambda: GroupSigns(growth=0.0),
        lambda: Teacher(0),
    ],
)
def test_laws_refuse_what_is_none(law):
    with pytest.raises(ValueError, match="expected"):
        law()


def test_labels_grow_from_group_to_group():
    problem = ShallowNetwork(Orthogonal(1.0, 1.0), GroupSigns(1.0, 2.0, growth=3.0))
    data, _ = drawn(problem, d=300, n=300, p=3, shape=Shape(300, 320, 8))
    y = np.asarray(data.y)[:300]
    for j, sign in enumerate((1, -1, 1)):
        size = sign * y[j::3] / 3.0**j
        assert stats.kstest(size, stats.uniform(1, 1).cdf).pvalue > 1e-3
    assert not np.any(np.asarray(data.y)[300:])
