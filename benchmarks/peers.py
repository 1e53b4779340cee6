"""What people run on these trials today: each peer in the plain idiom of its library.

All of them train h(x) = (1/p) sum_j a_j relu(w_j . x) on L = (1/2n) sum_i (y_i - h(x_i))^2 from
the same arrays, by descent on p L with step 1 or along the flow theta' = -p grad L, until
L < success / (2n): the protocol of experiment 1 of arXiv 2502.16977, whose success is 1. None
uses jaxflow's network or solvers. Walls are seconds without compilation; what a library spends on
its first call in a process (threads, a GPU's context) is the caller's to warm up.
"""

import time
from functools import partial
from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
from scipy.integrate import solve_ivp

from jaxflow.core.keys import Keys, trial_keys
from jaxflow.core.types import Point
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.shallow_network import ShallowNetwork, draw

DROP_EVERY = 50  # steps between two looks at which trials of a batch have ended


class Trials(NamedTuple):
    """A batch at one point, float32: X (b, n, d), y (b, n), W (b, p, d), a (b, p)."""

    X: np.ndarray
    y: np.ndarray
    W: np.ndarray
    a: np.ndarray


class Descent(NamedTuple):
    """Whether L < success / (2n) was met and after how many steps; wall seconds of all trials."""

    converged: Any
    steps: Any
    wall: float


class Flow(NamedTuple):
    """Whether and when L < success / (2n) was met, in flow time; field evaluations; wall seconds.

    A trial that did not converge has the time at which its integration ended.
    """

    converged: Any
    flow_time: Any
    evaluations: Any
    wall: float


def trials(
    d: int, n: int, p: int, count: int, problem: ShallowNetwork = ShallowNetwork()
) -> Trials:
    """The first `count` trials of a study with seed 0, as jaxflow draws them."""

    def one(keys: Keys) -> tuple[jax.Array, ...]:
        data, theta = draw(problem, keys, Sizes(d, n, p), Shape(d, n, p), "float32")
        return data.X, data.y, theta.W, theta.a

    keys = [trial_keys(0, Point(d, n, p), seed) for seed in range(count)]
    stacked = Keys(*(np.stack(stream) for stream in zip(*keys, strict=True)))
    return Trials(*map(np.asarray, jax.jit(jax.vmap(one))(stacked)))


def torch_loop(
    X: np.ndarray,
    y: np.ndarray,
    W: np.ndarray,
    a: np.ndarray,
    steps: int,
    success: float,
    device: str = "cpu",
) -> Descent:
    """Descent of one trial as a PyTorch training loop: modules, autograd, SGD, loss.item().

    X (n, d), y (n,), W (p, d), a (p,) in float32; at most `steps` steps; on
    `torch.get_num_threads()` threads, by default one a core.
    """
    import torch

    (p, d), n = W.shape, len(y)
    hidden, output = torch.nn.Linear(d, p, bias=False), torch.nn.Linear(p, 1, bias=False)
    with torch.no_grad():
        hidden.weight.copy_(torch.tensor(W))
        output.weight.copy_(torch.tensor(a[None]))
    net = torch.nn.Sequential(hidden, torch.nn.ReLU(), output).to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    inputs, labels = torch.tensor(X, device=device), torch.tensor(y[:, None], device=device)
    began = time.perf_counter()
    step = 0
    while True:
        loss = torch.nn.functional.mse_loss(net(inputs) / p, labels) / 2
        converged = loss.item() < success / (2 * n)
        if converged or step == steps:
            return Descent(converged, step, time.perf_counter() - began)
        optimizer.zero_grad()
        (p * loss).backward()
        optimizer.step()
        step += 1


def torch_batched(
    Xs: np.ndarray,
    ys: np.ndarray,
    Ws: np.ndarray,
    as_: np.ndarray,
    steps: int,
    success: float,
    device: str = "cpu",
) -> Descent:
    """Descent of a batch in PyTorch: batched products, gradients by hand, arrays updated in place.

    Shapes as in `Trials`; `converged` and `steps` are arrays (b,). By hand a step costs about half
    of what it costs through autograd. Trials that have ended leave the batch every `DROP_EVERY`
    steps, which is also how often the device is waited for. Products are in full float32, which
    is PyTorch's default.
    """
    import torch

    began = time.perf_counter()
    X, y, W, a = (torch.tensor(v, device=device) for v in (Xs, ys[..., None], Ws, as_[..., None]))
    (count, n, _), p = X.shape, W.shape[1]
    rows = torch.arange(count, device=device)
    active = torch.ones(count, dtype=torch.bool, device=device)
    missed = torch.zeros(count, dtype=torch.long, device=device)  # losses above the target so far
    Z = S = G = torch.empty(0)
    with torch.inference_mode():
        for step in range(steps + 1):
            if step % DROP_EVERY == 0:
                X, y, W, a, rows, active = (v[active] for v in (X, y, W, a, rows, active))
                if not len(rows):
                    break
                Z, G = X.new_empty(len(rows), n, p), torch.empty_like(W)
                S = torch.empty_like(Z)
            torch.bmm(X, W.mT, out=Z)
            torch.clamp_min(Z, 0, out=S)
            r = torch.baddbmm(y, S, a, alpha=-1 / p)
            active &= ~(r.square().sum((1, 2)) < success)  # 2n L, and NaN goes on
            missed.index_add_(0, rows, active.long())
            M = torch.gt(Z, 0, out=S).mul_(r / n)
            torch.bmm(M.mT, X, out=G)
            a_step = (W * G).sum(2, keepdim=True)
            W.addcmul_(a, G)
            a += a_step
    taken = missed.cpu().numpy()
    wall = time.perf_counter() - began
    return Descent(taken <= steps, np.minimum(taken, steps), wall)


def diffrax_vmapped(
    Xs: np.ndarray,
    ys: np.ndarray,
    Ws: np.ndarray,
    as_: np.ndarray,
    horizon: float,
    success: float,
    rtol: float = 1e-3,
    atol: float = 1e-3,
) -> Flow:
    """The flow of a batch as a first diffrax script has it: `vmap` of `diffeqsolve` by Tsit5.

    Shapes as in `Trials`; the results are arrays (b,). The field is `jax.grad` of the loss, with
    products in full float32; an `Event` finds where the loss meets its target. Evaluations are
    those of the steps a trial tried itself, 6 each and 1 to start, though the batch steps until
    its slowest trial has ended; the event adds one loss, half an evaluation, to each step.
    """
    n = ys.shape[1]

    def loss(theta: Any, X: jax.Array, y: jax.Array) -> jax.Array:
        W, a = theta
        h = jax.nn.relu(X @ W.T) @ a / len(a)
        return jnp.mean((y - h) ** 2) / 2

    def velocity(t: Any, theta: Any, data: Any) -> Any:
        p = len(theta[1])
        return jax.tree.map(lambda g: -p * g, jax.grad(loss)(theta, *data))

    def excess(t: Any, y: Any, args: Any, **_: Any) -> jax.Array:
        return loss(y, *args) - success / (2 * n)

    @jax.jit
    @partial(jax.vmap, in_axes=(0, 0, 0, 0, None))
    def solve(X: Any, y: Any, W: Any, a: Any, end: Any) -> Any:
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(velocity),
            diffrax.Tsit5(),
            t0=0.0,
            t1=end,
            dt0=None,
            y0=(W, a),
            args=(X, y),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
            event=diffrax.Event(excess, optimistix.Newton(1e-4, 1e-4)),
            max_steps=None,
            throw=False,
        )
        return solution.event_mask, solution.ts[-1], solution.stats["num_steps"]

    with jax.default_matmul_precision("highest"):
        jax.block_until_ready(solve(Xs, ys, Ws, as_, 1e-3 * horizon))  # compiles, warms up
        began = time.perf_counter()
        converged, flow_time, tried = map(np.asarray, solve(Xs, ys, Ws, as_, horizon))
        wall = time.perf_counter() - began
    return Flow(converged, flow_time, 6 * tried + 1, wall)


def scipy_flow(
    X: np.ndarray,
    y: np.ndarray,
    W: np.ndarray,
    a: np.ndarray,
    horizon: float,
    success: float,
    rtol: float = 1e-3,
    atol: float = 1e-6,
) -> Flow:
    """The flow of one trial by SciPy's `solve_ivp` with method RK45, in float64.

    X (n, d), y (n,), W (p, d), a (p,). RK45 is the best of SciPy's methods here: the field jumps
    where a sample crosses the kink of a neuron, and the implicit ones (BDF, LSODA) stall there.
    A terminal event finds where the loss meets its target; it adds one loss to each step.
    """
    X, y, W, a = (np.asarray(v, np.float64) for v in (X, y, W, a))
    (p, d), n = W.shape, len(y)

    def residuals(theta: np.ndarray) -> tuple[Any, ...]:
        W, a = theta[: p * d].reshape(p, d), theta[p * d :]
        Z = X @ W.T
        return W, a, Z, y - np.maximum(Z, 0) @ a / p

    def velocity(t: float, theta: np.ndarray) -> np.ndarray:
        W, a, Z, r = residuals(theta)
        G = (r[:, None] * (Z > 0)).T @ X / n
        return np.concatenate([(a[:, None] * G).ravel(), (W * G).sum(1)])

    def excess(t: float, theta: np.ndarray) -> float:
        r = residuals(theta)[-1]
        return float(r @ r - success) / (2 * n)

    excess.terminal = True  # type: ignore[attr-defined]
    start = np.concatenate([W.ravel(), a])
    began = time.perf_counter()
    found = solve_ivp(
        velocity, (0, horizon), start, method="RK45", rtol=rtol, atol=atol, events=excess
    )
    return Flow(found.status == 1, float(found.t[-1]), found.nfev, time.perf_counter() - began)
