"""The page on writing a law runs as it stands, and its laws are what it says."""

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from problems import drawn
from scipy import stats

from jaxflow.problems.shallow import laws

PAGE = (Path(__file__).parents[3] / "docs" / "laws.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def mylaws():
    """The Python of the page, from top to bottom, as the module that it says it is."""
    module = ModuleType("mylaws")
    sys.modules["mylaws"] = module
    for block in blocks("python"):
        exec(compile(block, "docs/laws.md", "exec"), module.__dict__)
    yield module
    del sys.modules["mylaws"]


def test_the_laws_of_the_page_draw_what_they_say(mylaws):
    """A mean of +-3 along e_1 by cluster, normal entries otherwise, 10 % of labels wrong."""
    n = 4000
    data, _ = drawn(mylaws.ensemble, d=4, n=n, p=3)
    X, y = np.asarray(data.X), np.asarray(data.y)
    assert stats.kstest(X[:, 1:].ravel(), "norm").pvalue > 1e-3
    mixture = lambda x: (stats.norm.cdf(x, -3) + stats.norm.cdf(x, 3)) / 2  # noqa: E731
    assert stats.kstest(X[:, 0], mixture).pvalue > 1e-3
    overlap = stats.norm.cdf(-3)
    wrong = 0.1 * (1 - overlap) + 0.9 * overlap
    assert stats.binomtest(int(np.sum(y * X[:, 0] < 0)), n, wrong).pvalue > 1e-3


def test_the_study_file_of_the_page_names_them(mylaws):
    (text,) = blocks("toml")
    for table in tomllib.loads(text)["ensemble"].values():
        module, _, name = table.pop("law").partition(":")
        table.pop("version", None)
        assert module == "mylaws"
        getattr(mylaws, name)(**table)


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
