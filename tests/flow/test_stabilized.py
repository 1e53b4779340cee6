"""RKC2 on smooth problems: request, stability, spectral radius, closed forms."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial import chebyshev
from scipy.integrate import solve_ivp

from jaxflow.flow.chebyshev import DAMPING, coefficients
from jaxflow.flow.radius import ChebyshevState
from jaxflow.flow.stabilized import RKC1, RKC2, SAFETY


def stages_polynomial(s, z, request=2):
    """The stability polynomial by the recursion of the coefficients, for y' = lambda y."""
    table = coefficients(request, 32)[s]
    before, last = np.zeros_like(z), table[1, 2] * z
    for j in range(2, s + 1):
        mu, nu, weight, weight_first, _ = table[j]
        before, last = last, mu * last + nu * before + weight * z * (1 + last) + weight_first * z
    return 1 + last


@pytest.mark.parametrize("s", [2, 3, 5, 8, 16, 32])
def test_stability_interval(s):
    """|P_s| <= 1 on [-0.65 (s^2 - 1), 0], and P_s is the shifted Chebyshev polynomial."""
    z = -np.linspace(0, RKC2.STABILITY * (s**2 - 1), 4001)
    P = stages_polynomial(s, z)
    assert np.max(np.abs(P)) <= 1 + 1e-9
    T = chebyshev.Chebyshev.basis(s)
    w0 = 1 + DAMPING[2] / s**2
    T1, T2 = T.deriv(), T.deriv(2)
    b = T2(w0) / T1(w0) ** 2
    np.testing.assert_allclose(P, 1 - b * T(w0) + b * T(w0 + z * T1(w0) / T2(w0)), atol=1e-8)


@pytest.mark.parametrize("s", [2, 3, 5, 8, 16, 32])
def test_stability_interval_of_order_one(s):
    """|P_s| <= 1 on [-1.9 s^2, 0], and P_s = T_s(w0 + w1 z) / T_s(w0)."""
    z = -np.linspace(0, RKC1.STABILITY * s**2, 4001)
    P = stages_polynomial(s, z, request=1)
    assert np.max(np.abs(P)) <= 1 + 1e-9
    T, w0 = chebyshev.Chebyshev.basis(s), 1 + DAMPING[1] / s**2
    np.testing.assert_allclose(P, T(w0 + z * T(w0) / T.deriv()(w0)) / T(w0), atol=1e-8)


@pytest.mark.parametrize("s", [8, 20])
def test_error_of_order_one_is_a_third_of_the_second_derivative(s):
    """P_s(z) = 1 + z + c z^2 with 1/2 - c near 1/3, as the error estimate has it."""
    z = np.array([-1e-3, 1e-3])
    c = (stages_polynomial(s, z, request=1) - 1 - z) / z**2
    np.testing.assert_allclose(0.5 - c, 1 / 3, atol=0.02)


@pytest.mark.parametrize("s", [2, 3, 7, 20])
def test_consistent_to_order_two(s):
    """P_s(z) = 1 + z + z^2/2 + O(z^3)."""
    z = np.array([-1e-2, 1e-2])
    remainder = stages_polynomial(s, z) - (1 + z + z**2 / 2)
    assert np.max(np.abs(remainder)) < 0.2 * 1e-2**3


def brusselator(t, y, args):
    u, v = y["u"], y["v"]
    return {"u": jnp.cos(t) - u * v - 0.1 * u, "v": u**2 - v}


def solve(solver, h, t1=2.0):
    y0 = {"u": jnp.array([1.0, 0.5]), "v": jnp.array([0.3, -0.2])}
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(brusselator), solver, 0.0, t1, h, y0, max_steps=100_000
    )
    return np.concatenate([solution.ys["u"][-1], solution.ys["v"][-1]])


def test_orders_on_a_nonlinear_time_dependent_problem(x64):
    exact = solve_ivp(
        lambda t, y: np.concatenate([np.cos(t) - y[:2] * y[2:] - 0.1 * y[:2], y[:2] ** 2 - y[2:]]),
        (0, 2),
        [1.0, 0.5, 0.3, -0.2],
        rtol=1e-12,
        atol=1e-13,
    ).y[:, -1]
    for solver, request in ((RKC2(), 2), (RKC1(), 1)):
        errors = [np.max(np.abs(solve(solver, h) - exact)) for h in (0.1, 0.05, 0.025)]
        requests = np.log2(np.divide(errors[:-1], errors[1:]))
        assert np.all(requests > request - 0.15)
        assert np.all(requests < request + 0.3)


def test_error_estimate_is_of_order_three(x64):
    term = diffrax.ODETerm(brusselator)
    y0 = {"u": jnp.array([1.0]), "v": jnp.array([0.3])}
    solver, sizes = RKC2(), []
    for h in (0.1, 0.05):
        state = solver.init(term, 0.0, h, y0, None)
        _, error, *_ = solver.step(term, 0.0, h, y0, None, state, False)
        sizes.append(float(jnp.abs(error["u"][0])))
    assert 2.7 < np.log2(sizes[0] / sizes[1]) < 3.3


def test_stiff_heat_equation_in_few_evaluations(x64):
    """u_t = u_xx on 100 slices: as accurate as SciPy's implicit method, explicitly."""
    m = 100
    A = (np.diag(np.full(m - 1, 1.0), 1) + np.diag(np.full(m - 1, 1.0), -1) - 2 * np.eye(m)) * m**2
    u0 = np.sin(np.pi * np.arange(1, m + 1) / (m + 1)) + 0.3 * np.sign(np.arange(m) - 50.5)
    exact = solve_ivp(lambda t, u: A @ u, (0, 0.1), u0, method="Radau", rtol=1e-9, atol=1e-10)
    matrix = jnp.asarray(A)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, u, args: matrix @ u),
        RKC2(),
        0.0,
        0.1,
        1e-5,
        jnp.asarray(u0),
        stepsize_controller=diffrax.PIDController(rtol=1e-4, atol=1e-5),
    )
    np.testing.assert_allclose(solution.ys[0], exact.y[:, -1], atol=2e-4)
    euler_steps = 0.1 / (2 / np.max(np.abs(np.linalg.eigvalsh(A))))  # the least that is stable
    assert solution.stats["num_steps"] < euler_steps / 10


def test_power_iteration_finds_the_spectral_radius(x64):
    rng = np.random.default_rng(0)
    Q, _ = np.linalg.qr(rng.standard_normal((30, 30)))
    A = -(Q * np.linspace(0.01, 7.0, 30)) @ Q.T
    matrix, y0 = jnp.asarray(A), jnp.asarray(rng.standard_normal(30))
    field = lambda y: matrix @ y  # noqa: E731
    power = RKC2().power
    state = power.start(field, field(y0), y0, None)
    first = float(state.radius)
    for _ in range(40):
        state = power.iterate(field, y0, None, state)
    assert first <= 7.0 * (1 + 1e-6)
    assert first > 5.0
    assert 7.0 / SAFETY < state.radius <= 7.0 * (1 + 1e-6)  # a dense spectrum: slow to converge
    np.testing.assert_allclose(state.radius, 7.0, rtol=0.03)


@pytest.mark.parametrize("solver", [RKC1(max_stages=40), RKC2(max_stages=40)])
def test_stage_counts_grow_like_the_root_of_the_stiffness(solver):
    for stiffness in (0.0, 1.0, 10.0, 100.0, 800.0):
        s = int(solver.stages(jnp.asarray(stiffness)))
        assert s >= 2
        assert solver.STABILITY * (s**2 - 1) >= stiffness or s == 40
    assert int(solver.stages(jnp.asarray(jnp.inf))) == 40
    assert int(solver.stages(jnp.asarray(jnp.nan))) == 40


def test_a_field_at_rest_stays_at_rest():
    term = diffrax.ODETerm(lambda t, y, args: jnp.zeros_like(y))
    solver, y0 = RKC2(), jnp.ones(3)
    state = solver.init(term, 0.0, 1.0, y0, None)
    assert isinstance(state, ChebyshevState)
    y1, error, *_ = jax.jit(solver.step, static_argnums=0)(
        term, 0.0, 1.0, y0, None, state, jnp.asarray(False)
    )
    np.testing.assert_array_equal(y1, y0)
    np.testing.assert_array_equal(error, 0)


def test_too_few_stages_are_refused():
    with pytest.raises(ValueError, match="max_stages >= 2"):
        RKC2(max_stages=1)
