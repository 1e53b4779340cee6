"""How JAX is set up; every script runs in a process of its own, for JAX starts once."""

import os
import subprocess
import sys

import pytest

from jaxflow.core.machine import configure

RUN = """
from jaxflow.core.types import Point, Trial
dynamics, event = {"descent": jf.GradientDescent()}, jf.Certificate(1.0)
with jf.LocalRunner(jf.ShallowNetwork(), dynamics, event=event) as runner:
    runner.run([Trial("descent", Point(3, 4, 8), 0, 1.0)])
"""


def finished(script, tmp_path):
    """A script that has run without any setting of JAX."""
    ours = ("XLA_FLAGS", "TF_CPP_MIN_LOG_LEVEL", "JAX_COMPILATION_CACHE_DIR")
    env = {name: x for name, x in os.environ.items() if name not in ours}
    env |= {"JAX_PLATFORMS": "cpu", "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-W", "error::UserWarning", "-c", script]
    found = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found


def output(script, tmp_path):
    """What it prints."""
    return finished(script, tmp_path).stdout.split()


def test_what_is_asked_for_is_set_before_jax_starts(tmp_path):
    script = f"""
import jaxflow as jf
jf.configure(devices=2, cache={str(tmp_path / "mine")!r}, precision="float64")
import jax, os
print(len(jax.devices()), jax.numpy.ones(1).dtype, jax.config.jax_compilation_cache_dir)
print("xla_cpu_multi_thread_eigen=false" in os.environ["XLA_FLAGS"])
jf.configure(precision="float32")
print(jax.numpy.ones(1).dtype, len(jax.devices()), jax.config.jax_compilation_cache_dir)
"""
    mine = str(tmp_path / "mine")
    expected = ["2", "float64", mine, "True", "float32", "2", mine]
    assert output(script, tmp_path) == expected


def test_a_program_of_the_cache_is_loaded_in_silence(tmp_path):
    """Though JAX, which tells XLA what to say when it is imported, was there before."""
    script = f"""
import jax, logging
import jaxflow as jf
jf.configure()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
{RUN}
print(logging.getLogger("jax").level, logging.getLogger("jax").handlers)
"""
    for _ in range(2):  # to compile, and to load
        found = finished(script, tmp_path)
        assert (found.stderr, found.stdout.split()) == ("", ["0", "[]"])
    assert any((tmp_path / "jaxflow" / "xla").iterdir())


def test_a_run_configures_what_nobody_has_and_an_import_changes_nothing(tmp_path):
    script = f"""
import jax, os
before = dict(jax.config.values), dict(os.environ)
import jaxflow as jf
for name in jf.__all__:
    getattr(jf, name)
config, environment = before
print(all(jax.config.values[name] == x for name, x in config.items()), os.environ == environment)
{RUN}
print(jax.config.jax_compilation_cache_dir, "eigen=false" in os.environ["XLA_FLAGS"])
print(any((jf.core.machine.Path(jax.config.jax_compilation_cache_dir)).iterdir()))
"""
    folder = str(tmp_path / "jaxflow" / "xla")
    assert output(script, tmp_path) == ["True", "True", folder, "True", "True"]


def test_a_jax_that_has_started_is_told_what_it_can_and_warns_once(tmp_path):
    script = f"""
import jax, warnings
jax.numpy.ones(3).sum().block_until_ready()
import jaxflow as jf
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    {RUN.strip().replace(chr(10), chr(10) + "    ")}
    {RUN.strip().replace(chr(10), chr(10) + "    ")}
    jf.configure(precision="float64")
    ours = [w for w in caught if w.category is UserWarning]
    print(len(ours), "jaxflow.configure()" in str(ours[0].message))
print(jax.numpy.ones(1).dtype)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.jit(lambda x: x @ x + 1)(jax.numpy.ones((3, 3)))
print(any(jf.core.machine.Path(jax.config.jax_compilation_cache_dir).iterdir()))
"""
    assert output(script, tmp_path) == ["1", "True", "float64", "True"]


def test_a_folder_that_jax_was_told_is_kept_and_none_may_be_asked_for(tmp_path):
    script = f"""
import jax
jax.config.update("jax_compilation_cache_dir", {str(tmp_path / "theirs")!r})
import jaxflow as jf
jf.configure()
print(jax.config.jax_compilation_cache_dir)
jf.configure(cache=False)
{RUN}
print(jax.config.jax_compilation_cache_dir)
"""
    assert output(script, tmp_path) == [str(tmp_path / "theirs"), "None"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"precision": "float16"}, r"^expected precision in .*float64.*, got 'float16'"),
        ({"devices": 0}, r"^expected a whole number devices >= 1, got 0"),
        ({"devices": 1.5}, r"^expected a whole number devices"),
        ({"devices": True}, r"^expected a whole number devices"),
    ],
)
def test_what_is_no_configuration_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        configure(**values)
