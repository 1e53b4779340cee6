"""The page on writing a law runs as it stands, and its laws are what it says."""

import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from problems import drawn
from scipy import stats

from jaxflow.core.open_names import importing_from
from jaxflow.problems.shallow import laws
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.study.protocol import SCHEMA

PAGE = (Path(__file__).parents[3] / "docs" / "laws.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def mylaws(tmp_path_factory):
    """The Python of the page, from top to bottom, in the module that it says."""
    folder = tmp_path_factory.mktemp("laws")
    (folder / "mylaws.py").write_text("\n\n".join(blocks("python")))
    with importing_from(folder):
        yield import_module("mylaws")
    del sys.modules["mylaws"]


def test_the_laws_of_the_page_draw_what_they_say(mylaws):
    """A mean of +-3 along e_1 by cluster, normal entries otherwise, 10 % of labels wrong."""
    n = 4000
    data, _ = drawn(mylaws.problem, d=4, n=n, p=3)
    X, y = np.asarray(data.X), np.asarray(data.y)
    assert stats.kstest(X[:, 1:].ravel(), "norm").pvalue > 1e-3
    mixture = lambda x: (stats.norm.cdf(x, -3) + stats.norm.cdf(x, 3)) / 2  # noqa: E731
    assert stats.kstest(X[:, 0], mixture).pvalue > 1e-3
    overlap = stats.norm.cdf(-3)
    wrong = 0.1 * (1 - overlap) + 0.9 * overlap
    assert stats.binomtest(int(np.sum(y * X[:, 0] < 0)), n, wrong).pvalue > 1e-3


def test_the_study_file_of_the_page_names_them(mylaws):
    """Back and forth, with the version of the one and the fields of both."""
    (text,) = blocks("toml")
    read = SCHEMA.read(ShallowNetwork, tomllib.loads(text)["problem"], "problem", load=True)
    assert read == ShallowNetwork(mylaws.Clusters(3.0), mylaws.ClusterLabels(0.05))
    written = SCHEMA.write(read)
    assert written["inputs"] == {"law": "mylaws:Clusters", "mean": 3.0}
    assert written["labels"] == {"law": "mylaws:ClusterLabels", "wrong": 0.05, "version": "2"}
    SCHEMA.check_storable(read)


def test_mistakes_in_the_laws_of_the_page_are_told(mylaws):
    with pytest.raises(ValueError, match="0 <= wrong <= 1"):
        mylaws.ClusterLabels(2.0)


def test_every_name_of_the_page_is_public():
    told = set(re.findall(r"from jaxflow\.problems\.shallow\.laws import ([\w, ]+)\n", PAGE))
    names = {name for line in told for name in line.split(", ")}
    for block in re.findall(r"shallow\.laws import \(\n(.*?)\)", PAGE, re.DOTALL):
        names |= {name.strip() for name in block.split(",") if name.strip()}
    assert len(names) > 10
    assert names <= set(laws.__all__)
    assert not [name for name in laws.__all__ if name.startswith("_") or not hasattr(laws, name)]
