"""A damaged study is a study still, or refused in one line, whatever the damage."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutants import garbled, mutated
from studies import studies

from jaxflow.study import files
from jaxflow.study.study import Study

SAMPLE = 150  # of the 3000 seeds
REPEATED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def refused(read):
    """Whether `read` refuses; how it does, or that what it makes survives, is checked."""
    try:
        study = read()
    except ValueError as error:
        message = str(error)
        assert "expected " in message
        assert ", got " in message
        assert message.isprintable()
        assert len(message) < 1500
        return True
    assert Study.from_table(study.table) == study
    return False


def mutants(seeds, folder):
    """How many of the mutants of these seeds are refused, tables and texts in turn."""
    tables = [files.parsed(name) for name in files.presets()]
    texts = [*map(files.text, files.presets()), files.example()]
    for table in tables:
        table.pop("small", None)
    count = 0
    for seed in seeds:
        dice = random.Random(seed)
        if seed % 2:
            table = mutated(dice.choice(tables), dice)
            count += refused(lambda table=table: Study.from_table(table))
        else:
            path = folder / "study.toml"
            path.write_bytes(garbled(dice.choice(texts), dice))
            small = dice.random() < 0.3
            count += refused(lambda path=path, small=small: Study.load(path, small=small))
    return count


def test_a_damaged_study_is_a_study_or_one_line(tmp_path):
    assert 0.5 * SAMPLE < mutants(range(SAMPLE), tmp_path) < SAMPLE


@pytest.mark.slow
def test_damaged_studies_are_studies_or_one_line(tmp_path):
    assert mutants(range(SAMPLE, 3000), tmp_path) < 3000 - SAMPLE


@settings(REPEATED, max_examples=50)
@given(studies(), st.integers(0, 2**32))
def test_a_damaged_random_study_is_a_study_or_one_line(table, seed):
    refused(lambda: Study.from_table(mutated(table, random.Random(seed))))
