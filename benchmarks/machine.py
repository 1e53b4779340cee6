"""What a measurement ran on, and the two speeds that bound it: of products, and of memory.

On a CPU both speeds are those of all workers together, one Python thread a core, each with XLA
executions of its own. That is how jaxflow runs its lanes, and it holds only where XLA itself keeps
to one thread: set XLA_FLAGS=--xla_cpu_multi_thread_eigen=false before JAX starts.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp

from jaxflow.core.machine import package_version

PACKAGES = ("jax", "jaxlib", "diffrax", "numpy", "torch")
REPETITIONS = 5
CALLS = 8  # executions a worker queues in one repetition


def description() -> dict[str, object]:
    """CPU, cores this process may use, memory in GiB, GPU and driver if any, and versions."""
    found: dict[str, object] = {
        "cpu": _cpu_model(),
        "cores": cores(),
        "memory_gib": round(_memory() / 2**30, 1),
        "python": platform.python_version(),
        **{name: package_version(name) for name in PACKAGES},
    }
    if jax.default_backend() == "gpu":
        found |= {"gpu": jax.devices()[0].device_kind, "driver": _driver()}
    return found


def cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def product_peak(
    device: jax.Device | None = None, size: int | None = None, workers: int | None = None
) -> float:
    """GFLOP/s of float32 products of two (size, size) matrices, precision HIGHEST.

    `size` is 4096 on a GPU and 1024 on a CPU, `workers` 1 on a GPU and one a core on a CPU. The
    median of five repetitions.
    """
    device = device or jax.devices()[0]
    size = size or (1024 if device.platform == "cpu" else 4096)
    multiply = jax.jit(lambda A, B: jnp.matmul(A, B, precision=jax.lax.Precision.HIGHEST))

    def worker() -> Callable[[], None]:
        A, B = (jax.device_put(jnp.full((size, size), x, jnp.float32), device) for x in (0.5, 1.0))

        def work() -> None:
            jax.block_until_ready([multiply(A, B) for _ in range(CALLS)])

        return work

    count = workers or _workers(device)
    return 2 * size**3 * CALLS * count / _seconds([worker() for _ in range(count)]) / 1e9


def stream_bandwidth(
    device: jax.Device | None = None, size: int = 2**25, workers: int | None = None
) -> float:
    """GB/s between cores and memory in x <- x / 2 + z, float32, `size` numbers in each array.

    Counts 12 bytes a number, two reads and the write, as STREAM does (McCalpin, 1995); x is
    updated in place. The arrays, 128 MiB each, must be far larger than the last cache, which all
    workers share.
    """
    device = device or jax.devices()[0]
    update = jax.jit(lambda x, z: x / 2 + z, donate_argnums=0)
    count = workers or _workers(device)

    def worker() -> Callable[[], None]:
        x, z = (jax.device_put(jnp.ones(size, jnp.float32), device) for _ in range(2))

        def work() -> None:
            nonlocal x
            for _ in range(CALLS):
                x = update(x, z)
            x.block_until_ready()

        return work

    return 12 * size * CALLS * count / _seconds([worker() for _ in range(count)]) / 1e9


def peak_memory(device: jax.Device | None = None) -> int:
    """The most bytes in use so far: of this process on a CPU, of JAX's arrays on a GPU."""
    device = device or jax.devices()[0]
    if device.platform != "cpu":
        return int((device.memory_stats() or {})["peak_bytes_in_use"])
    return int(2**20 * peak_mib())


def peak_mib() -> float:
    """The most MiB that this process had resident so far.

    From Linux where there is one: what `getrusage` says begins with the size of the process that
    forked this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        high = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(high[0].split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def alone(call: str, **environment: str) -> Any:
    """What a call of a module of the benchmarks gives in a process of its own, as plain values."""
    code = f"import json; from benchmarks import steps, sweeps; print(json.dumps({call}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _workers(device: jax.Device) -> int:
    return cores() if device.platform == "cpu" else 1


def _seconds(tasks: list[Callable[[], None]]) -> float:
    """Median wall seconds in which all tasks run once, each in a thread of its own."""
    for task in tasks:  # compiles, warms up
        task()
    walls = []
    for _ in range(REPETITIONS):
        threads = [threading.Thread(target=task) for task in tasks]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        walls.append(time.perf_counter() - began)
    return median(walls)


def _cpu_model() -> str:
    """The model name that Linux gives, else what Python knows."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _memory() -> int:
    """Bytes of the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _driver() -> str:
    """The version of NVIDIA's driver, or "unknown"."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.split()[0] if found.stdout.split() else "unknown"
