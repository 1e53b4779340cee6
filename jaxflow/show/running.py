"""A run as Python users see it: progress while it lasts, and a result at its end."""

import shutil
import weakref
from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from tempfile import mkdtemp

from jaxflow.core.machine import configure
from jaxflow.engine.settings import Lanes
from jaxflow.sampling.part import Part
from jaxflow.show.progress import Monitor
from jaxflow.show.result import Result
from jaxflow.study import run as studies
from jaxflow.study.runners import Cluster
from jaxflow.study.study import Study


def run(
    study: Study,
    out: str | PathLike[str] | None = None,
    *,
    part: tuple[int, int] = (1, 1),
    lanes: Lanes | None = None,
    cluster: Cluster | None = None,
    quiet: bool = False,
) -> Result:
    """Run a study into the store in `out`, from where it stands, with progress unless `quiet`.

    With `part` (i, k) it is the i-th of k, each run into a folder of its own, to be merged. Trials
    run on the threads of this process, as `lanes` say, or on the workers of a `cluster`, to the
    same rows. Without
    `out` they are kept as long as the result is. Raises `ValueError` for a store that cannot be
    used and for laws that break their word; what was computed before an error or an interruption is
    in the store.
    """
    if study.precision == "float64":
        configure(precision="float64")
    found = Result(Path(out or mkdtemp(prefix="jaxflow-")))
    if out is None:
        weakref.finalize(found, shutil.rmtree, found.folder, ignore_errors=True)
    with nullcontext(lambda progress: None) if quiet else Monitor() as listener:
        studies.run(
            study,
            found.folder,
            lanes or Lanes(),
            listener,
            part=Part.read("/".join(map(str, part))),
            cluster=cluster,
            is_kept=out is not None,
        )
    return found
