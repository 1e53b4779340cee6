"""Random numbers that belong to a trial, never to its place in a batch.

A trial's keys are the SHA-256 of the study's seed, of what its point says of the problem and of its
own seed: trials of two points are independent, but where these differ in parameters of dynamics
alone, which start from the same draws. Entry (i, k) of what is drawn for sample i or neuron i is
the Threefry-2x32 block cipher (Salmon et al., SC 2011) of the counter (i, k), so that padding
changes no number already drawn.
"""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import threefry_2x32
from jaxtyping import Array, Float, UInt32

from jaxflow.core.types import Point

Number: TypeAlias = float | Float[Array, ""]  # of a law, or one that is an axis of the study
SCALARS = 4  # numbers of a row besides its coordinates: radius, sign, magnitude, ...


class Keys(NamedTuple):
    """One 64-bit key for each stream of a trial."""

    samples: UInt32[Array | np.ndarray, "2"]
    start: UInt32[Array | np.ndarray, "2"]  # of the first parameters
    nature: UInt32[Array | np.ndarray, "2"]  # of what the samples share: a teacher


def trial_keys(study_seed: int, point: Point, seed: int) -> Keys:
    """The keys of one trial. Every dynamics starts from the same ones."""
    at = point.of_problem
    named = (at.parameters,) if at.parameters else ()
    digest = hashlib.sha256(repr((study_seed, at.d, at.n, at.p, seed, *named)).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").astype(np.uint32)
    return Keys(words[0:2], words[2:4], words[4:6])


@dataclass(frozen=True)
class Uniforms:
    """Numbers in [0, 1) of one stream, one row a sample or neuron, made when asked for."""

    key: UInt32[Array | np.ndarray, "2"]
    rows: int
    d: int

    @property
    def scalars(self) -> Float[Array, "rows 4"]:
        """The numbers of a row besides its coordinates."""
        return self._columns(0, SCALARS)

    @property
    def entries(self) -> Float[Array, "rows d"]:
        """One number a coordinate."""
        return self._columns(SCALARS, self.d)

    def _columns(self, first: int, count: int) -> Float[Array, "rows count"]:
        shape = (self.rows, count)
        row = jax.lax.broadcasted_iota(jnp.uint32, shape, 0)
        column = jax.lax.broadcasted_iota(jnp.uint32, shape, 1) + jnp.uint32(first)
        counters = jnp.concatenate([row.ravel(), column.ravel()])
        bits = threefry_2x32(jnp.asarray(self.key), counters)[: self.rows * count].reshape(shape)
        one = jnp.asarray(0x3F800000, jnp.uint32)  # the bits of 1.0f
        return jax.lax.bitcast_convert_type((bits >> 9) | one, jnp.float32) - 1


def normal(u: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Standard normal numbers, finite, from uniform ones by inversion."""
    inside = jnp.maximum(2 * u - 1, jnp.nextafter(jnp.float32(-1), jnp.float32(0)))
    return jnp.sqrt(jnp.float32(2)) * jax.lax.erf_inv(inside)


def exponential(u: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Exp(1) numbers from uniform ones by inversion."""
    return -jnp.log1p(-u)


def sign(u: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Random signs from uniform numbers."""
    return jnp.where(u < 0.5, -1.0, 1.0).astype(u.dtype)


def between(u: Float[Array, "*shape"], low: Number, high: Number) -> Float[Array, "*shape"]:
    """Uniform numbers on [low, high)."""
    return low + (high - low) * u
