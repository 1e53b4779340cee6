"""Shapes are checked at run time, here only; JAX runs as the command line sets it up."""

import os
from pathlib import Path

# Read when JAX starts: one thread a core, and one compilation cache for all workers and
# subprocesses of a test run.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "xla_cpu_multi_thread_eigen" not in os.environ.get("XLA_FLAGS", ""):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"
    os.environ["XLA_FLAGS"] = flags.strip()
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path.cwd() / ".pytest_cache" / "xla"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

import jax
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# The floors that carry mathematics; what a user constructs says itself what it takes.
install_import_hook(
    [
        "jaxflow.core.keys",
        "jaxflow.core.trees",
        "jaxflow.problems",
        "jaxflow.flow.chebyshev",
        "jaxflow.flow.controller",
        "jaxflow.flow.loops",
        "jaxflow.flow.radius",
        "jaxflow.flow.recording",
        "jaxflow.flow.solvers",
        "jaxflow.flow.stabilized",
        "jaxflow.flow.stopping",
        "jaxflow.flow.terms",
        "jaxflow.flow.trial",
    ],
    "beartype.beartype",
)


settings.register_profile("unhurried", deadline=None)  # a busy machine is no mistake
settings.load_profile("unhurried")


@pytest.fixture
def x64():
    """float64 inside one test."""
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)
