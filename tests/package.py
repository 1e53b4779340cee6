"""Build wheel and sdist, install the wheel into an environment of its own, and use it from there.

`python -m tests.package` needs the network: the environment is installed from the index.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from jaxflow.core import __version__

ROOT = Path(__file__).parents[1]
SOURCES = ("jaxflow/", "tests/", "figures/", "benchmarks/", "docs/", "Makefile", "CITATION.cff")
TYPED = "import jaxflow as jf\nreveal_type(jf.Study.load('demo').precision)\n"
REVEALED = "Literal['float32'] | Literal['float64']"
INSTALLED = "import jaxflow; assert 'site-packages' in jaxflow.__file__, jaxflow.__file__"


def main() -> None:
    """Try it all, a line each; whatever is wrong ends it."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        print("building")
        call(ROOT, sys.executable, "-m", "build", "--outdir", place)
        (wheel,), (sdist,) = place.glob("*.whl"), place.glob("*.tar.gz")
        check_contents(wheel, sdist)
        print(f"installing {wheel.name}")
        call(place, sys.executable, "-m", "venv", "environment")
        bin = place / "environment" / "bin"
        call(place, bin / "pip", "install", "--quiet", wheel, "mypy")
        check_installed(place, bin)
        check_types(place, bin)
    print("sound: wheel, sdist, commands, types")


def call(place: Path, *command: str | Path) -> str:
    """What a command prints in a folder, out of sight of this checkout; it has to succeed."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV")
    env = {name: x for name, x in os.environ.items() if name not in hidden}
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def check_contents(wheel: Path, sdist: Path) -> None:
    """The wheel has every file of the package and none beside, the sdist all that is kept."""
    kept = call(ROOT, "git", "ls-files", *SOURCES).splitlines()
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    expect("wheel", inside, {name for name in kept if name.startswith("jaxflow/")})
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    expect("sdist", {name for name in inside if name.startswith(SOURCES)}, set(kept))


def expect(what: str, found: set[str], wanted: set[str]) -> None:
    """Names in an archive, as they should be."""
    if found != wanted:
        sys.exit(f"{what}: missing {sorted(wanted - found)}, beside {sorted(found - wanted)}")
    print(f"{what}: {len(found)} files")


def check_installed(place: Path, bin: Path) -> None:
    """Commands that need files of the package, and a study from its template to its thresholds."""
    call(place, bin / "python", "-c", INSTALLED)
    jaxflow = bin / "jaxflow"
    assert call(place, jaxflow, "--version") == f"jaxflow {__version__}\n"
    assert "demo" in call(place, jaxflow, "presets")
    call(place, jaxflow, "completion", "bash")
    call(place, jaxflow, "init")
    print(call(place, jaxflow, "run", "study.toml", "--small", "--quiet", "--out", "out"))
    call(place, jaxflow, "check", "out")
    assert "RKC" in call(place, jaxflow, "cite", "out")


def check_types(place: Path, bin: Path) -> None:
    """A type checker outside sees types, by py.typed."""
    (place / "typed.py").write_text(TYPED)
    said = call(place, bin / "mypy", "--strict", "typed.py")
    assert REVEALED in said and "Success" in said, said


if __name__ == "__main__":
    main()
