"""The machine: how JAX is set up on it, and the versions that a row records."""

import os
import re
import resource
import warnings
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from jaxflow.core import __version__
from jaxflow.core.checks import whole
from jaxflow.core.errors import mistake

WORKER = "jaxflow worker"  # what threads that run trials are called
PRECISIONS = ("float32", "float64")
FEWEST_SECONDS = 0.2  # of compilation, from which on a program is kept
GIB = 2**30
LEAST_SPACE = 1.6 * GIB  # of addresses, below which JAX aborts as it starts, even on one core
AMPLE_SPACE = 3 * GIB, GIB / 4  # for a small study: in all, and for each core beside
_is_configured = False
_has_threads = False  # products of a CPU have several, since JAX had started without our flag


def configure(
    *,
    devices: int | None = None,
    cache: str | Path | Literal[False] | None = None,
    precision: str | None = None,
) -> None:
    """Set JAX up for many trials side by side; to be called before JAX computes anything.

    Each core runs a trial of its own, so products are given one thread. Compiled programs are kept
    in the folder `cache`, False for none; by default in the folder that JAX was told, or else in
    the user's cache folder. `precision` "float64" turns 64-bit JAX on, "float32" turns it off;
    `devices` is the number of devices that JAX makes of the CPU. What is None stays as it is.

    JAX reads threads and devices when it starts: afterwards the rest is set, and one warning says
    what could not be. Raises `ValueError` for values that are none of these, and under a limit on
    address space with which JAX cannot start.
    """
    global _is_configured, _has_threads
    check_address_space()
    if precision is not None and precision not in PRECISIONS:
        raise mistake(f"precision in {PRECISIONS}", precision, "use one of these")
    if devices is not None:
        devices = whole("devices", devices, least=1)
    _is_configured = True
    _quieten_xla()
    import jax

    late = _has_started()
    missed = []
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_cpu_multi_thread_eigen" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
        if late and jax.default_backend() == "cpu":
            _has_threads = True
            missed.append("one thread a product")
    if devices is not None and not late:
        jax.config.update("jax_num_cpu_devices", devices)
    elif devices is not None and devices != len(jax.devices("cpu")):
        missed.append(f"{devices} CPU devices")
    _keep_programs(cache)
    if precision is not None:
        jax.config.update("jax_enable_x64", precision == "float64")
    if missed:
        warnings.warn(
            f"expected a JAX that has not started yet, to set {' and '.join(missed)}; runs may be "
            "slower: call jaxflow.configure() before the first computation with JAX",
            stacklevel=2,
        )


def _quieten_xla() -> None:
    """Let XLA say nothing, unless the user has chosen what it says.

    It calls it an error that a program in the cache was tuned for this very machine
    (openxla/xla#44565); what goes wrong in earnest is raised by JAX.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL", "1") != "1":  # which is JAX's own choice
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import jax

    config: Any = jax.config
    chosen = config.jax_logging_level
    if chosen in (None, "NOTSET"):  # XLA read the variable when JAX was imported
        config.update("jax_logging_level", "CRITICAL")
        config.update("jax_logging_level", chosen)  # of JAX's own loggers; XLA keeps its level


def devices(text: str) -> tuple[int, ...]:
    """The numbers of the devices that "all", a count, or a list such as "0,2" names.

    A CPU is made into as many as are counted. None is named by "". Raises `ValueError` for another
    text, and for more than there are.
    """
    if not text:
        return ()
    if not re.fullmatch(r"all|\d{1,4}|\d{1,4}(,\d{1,4})+,?|\d{1,4},", text):
        remedy = "name them by their numbers, as 0,2"
        raise mistake('"all", a number of devices, or a list of them', text, remedy)
    if "," in text:
        return tuple(int(number) for number in text.split(",") if number)
    count = None if text == "all" else whole("devices", int(text), least=1)
    import jax

    if count is not None and not _has_started():
        config: Any = jax.config
        config.update("jax_num_cpu_devices", count)
    there = sorted(device.id for device in jax.local_devices())
    if count is not None and count > len(there):
        raise mistake(f"at most {len(there)} devices", count, "`jaxflow doctor` lists them")
    return tuple(there[:count])


def leave_accelerators() -> None:
    """Compute on the CPU in this process, so that its workers have the accelerators to themselves.

    To be called before JAX has started; afterwards it does nothing.
    """
    import jax

    if not _has_started():
        jax.config.update("jax_platforms", "cpu")


def check_address_space() -> str:
    """What may happen under a low limit on address space; nothing to say where there is none.

    Raises `ValueError` where JAX would abort at its start, which it does without a message.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    ample = AMPLE_SPACE[0] + AMPLE_SPACE[1] * (os.cpu_count() or 1)
    if limit == resource.RLIM_INFINITY or limit >= ample:
        return ""
    got, remedy = f"a limit of {limit / GIB:.3g} GiB", "raise it, as by `ulimit -v unlimited`"
    if limit < LEAST_SPACE:
        raise mistake(f"{LEAST_SPACE / GIB:g} GiB of address space at least", got, remedy)
    return f"{got} on address space may not suffice, and JAX aborts where it does not: {remedy}"


def is_single_threaded() -> bool:
    """Whether a product on a CPU has one thread, as where JAX started with the flags set here."""
    return not _has_threads


def configure_once() -> None:
    """`configure()` unless that was called: what every run begins with."""
    if not _is_configured:
        configure()


def check_precision(dtype: str) -> None:
    """Raise `ValueError` where JAX as it is set up has no numbers of this type."""
    import jax

    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        remedy = f'call jaxflow.configure(precision="{dtype}") first'
        raise mistake(f"64-bit JAX for {dtype}", "32-bit JAX", remedy)


def _has_started() -> bool:
    """Whether JAX has its devices: from then on it refuses another number of them."""
    import jax

    config: Any = jax.config
    count = config.jax_num_cpu_devices
    try:
        config.update("jax_num_cpu_devices", count + 2)
    except RuntimeError:
        return True
    config.update("jax_num_cpu_devices", count)
    return False


def _keep_programs(cache: str | Path | Literal[False] | None) -> None:
    """Tell JAX the folder of compiled programs, unless it has one and none is asked for."""
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    config: Any = jax.config
    if cache is None and config.jax_compilation_cache_dir is None:
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        cache = home / "jaxflow" / "xla"
    if cache is False:
        jax.config.update("jax_compilation_cache_dir", None)
    elif cache is not None:
        jax.config.update("jax_compilation_cache_dir", str(cache))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", FEWEST_SECONDS)
    if cache is not None:
        compilation_cache.reset_cache()  # JAX looks for a folder once, when it first compiles


@lru_cache
def versions() -> str:
    """jaxflow, jax, jaxlib and diffrax with their versions, on one line."""
    return " ".join(f"{name} {version}" for name, version in packages().items())


def packages() -> dict[str, str]:
    """The versions of what decides a row, by name."""
    others = {name: package_version(name) for name in ("jax", "jaxlib", "diffrax")}
    return {"jaxflow": __version__, **others}


def package_version(name: str) -> str:
    """The version installed, or "absent"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
