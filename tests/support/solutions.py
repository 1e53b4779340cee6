"""The flow of the mean-field ReLU network by SciPy, in float64: an oracle for closed forms."""

import numpy as np
from problems import relu_velocity
from scipy.integrate import solve_ivp


def relu_solution(X, y, W, a, times, rtol=1e-12, atol=1e-15):
    """Under theta' = -p grad L: W (k, p, d), a (k, p), L (k,) at k times that rise from 0."""
    p, d = W.shape

    def parts(state):
        return state[: p * d].reshape(p, d), state[p * d :]

    def velocity(_, state):
        W_velocity, a_velocity, _ = relu_velocity(X, y, *parts(state))
        return np.concatenate([W_velocity.ravel(), a_velocity])

    start = np.concatenate([np.ravel(W), a]).astype(float)
    found = solve_ivp(velocity, (0, times[-1]), start, "DOP853", t_eval=times, rtol=rtol, atol=atol)
    assert found.success
    states = [parts(state) for state in found.y.T]
    losses = [relu_velocity(X, y, *state)[2] for state in states]
    return np.array([W for W, _ in states]), np.array([a for _, a in states]), np.array(losses)
