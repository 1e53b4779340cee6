"""Two spectra of a state: of the Hessian of the loss, and of the neural tangent kernel.

Hessian   H = kappa d^2 L / d theta^2 = - d theta' / d theta: a perturbation of the flow obeys
          v' = -H v, and a descent of step s (in flow time) is stable while lambda_max(H) < 2/s
          (arXiv 2103.00065). It is taken between the kinks of the activation.
Kernel    K = (kappa / n) J J^T, J the Jacobian of the n outputs h(x_i) in theta: h' = K r along
          the flow, hence L' = -r^T K r / n and 2 lambda_min(K) <= mu <= 2 lambda_max(K)
          (arXiv 1806.07572; 1810.02054).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.core.keys import Uniforms
from jaxflow.problems.lanczos import ITERATIONS, START, extremes
from jaxflow.problems.problem import below
from jaxflow.problems.shallow.activations import degree, derivative
from jaxflow.problems.shallow.coordinates import product
from jaxflow.problems.shallow.network import Data, Network, Parameters, field


def hessian_extremes(
    network: Network, data: Data, theta: Parameters
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The smallest and largest eigenvalue of H, in inverse flow time, by Lanczos.

    On the directions that the data see, those in which the flow can move: with more dimensions
    than samples the other directions add the eigenvalue 0. Costs `ITERATIONS` products with H, of
    about two fields each, and the memory of as many weights.

    Against all eigenvalues of H, for 25 to 9900 parameters at the start and late in training: the
    largest was right to 4e-7 in float32. The smallest was too large by up to 0.2 % of the whole
    range, late in training when it is small itself by up to a quarter of its size.
    """
    _, push = jax.linearize(lambda theta: field(network, data, theta), theta)

    def inner(u: Parameters, v: Parameters) -> Float[Array, ""]:
        return jnp.sum(data.inputs.inner(u.W, v.W)) + jnp.sum(u.a * v.a)

    def apply(v: Parameters) -> Parameters:
        return jax.tree.map(jnp.negative, push(v))

    return extremes(apply, inner, start(network, data, theta), ITERATIONS)


def start(network: Network, data: Data, theta: Parameters) -> Parameters:
    """Random combinations of the samples, and numbers for a; nothing where there is no neuron.

    The same direction of weight space in any coordinates and padding.
    """
    Z = data.inputs.preactivations(theta.W)
    p, n = Z.shape
    M = 2 * Uniforms(START, n, p).entries.astype(Z.dtype).T - 1
    a = 2 * Uniforms(START, p, 1).scalars[:, 0].astype(Z.dtype) - 1
    is_neuron = (jnp.arange(p) < data.p).astype(Z.dtype)
    W, _ = data.inputs.pull(theta.W, Z, M, is_neuron)
    return Parameters(W, a * is_neuron if network.trained == "both" else jnp.zeros_like(a))


def kernel(network: Network, data: Data, theta: Parameters) -> Float[Array, "n n"]:
    """K, zero on padded samples; 2 n^2 (d + 2p) flops, or 4 n^2 p where the Gram matrix is kept.

    K_ik = (kappa c^2 / n) [ x_i.x_k sum_j a_j^2 sigma'(z_ij) sigma'(z_kj)
                             + sum_j sigma(z_ij) sigma(z_kj) ],
    with z = w_j.x_i; the second sum if the output weights are trained.
    """
    Z = data.inputs.preactivations(theta.W)
    p = data.p.astype(Z.dtype)
    rate = network.speed(p) * network.output_scale(p) ** 2 / data.n.astype(Z.dtype)
    slopes = theta.a[:, None] * derivative(network.activation, Z)
    K = data.inputs.gram() * product(slopes.T, slopes)
    if network.trained == "both":
        S = network.activation(Z)
        if degree(network.activation) is None:
            S = jnp.where(below(data.n, S.shape[1]) & below(data.p, len(S))[:, None], S, 0)
        K = K + product(S.T, S)
    return rate * K


def kernel_extremes(
    network: Network, data: Data, theta: Parameters
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The smallest and largest eigenvalue of K on the true samples, in inverse flow time.

    All are computed, in about 4/3 n^3 flops; each is off by some roundings of the largest.
    """
    K = kernel(network, data, theta)
    padded = jnp.arange(len(K)) >= data.n
    lowest = -1 - jnp.sqrt(jnp.sum(K * K))  # less than any eigenvalue of the true samples
    found = jnp.linalg.eigvalsh(K + jnp.diag(jnp.where(padded, lowest, 0)))
    return found[len(K) - data.n], found[-1]
