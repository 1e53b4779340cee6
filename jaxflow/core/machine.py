"""What ran: the versions that a row records."""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version


@lru_cache
def versions() -> str:
    """jaxflow, jax, jaxlib and diffrax with their versions, on one line."""
    return " ".join(
        f"{name} {package_version(name)}" for name in ("jaxflow", "jax", "jaxlib", "diffrax")
    )


def package_version(name: str) -> str:
    """The version installed, or "absent"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
