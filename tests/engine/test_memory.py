"""The memory that trials take, by what the compiler plans for them; nothing is run."""

import resource
import time
from pathlib import Path

import jax
import pytest
from problems import IS_OLD_XLA

from jaxflow.core.types import Point, Trial
from jaxflow.engine import memory
from jaxflow.engine.memory import check_memory, fitting, footprint
from jaxflow.engine.program import Program
from jaxflow.engine.settings import Lanes, Settings
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.state import Setting
from jaxflow.problems.problem import Shape
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.study.study import Study

GIB = 2**30
FLOW = GradientFlow()
CASES = [
    Setting(ShallowNetwork(), FLOW, (Certificate(1.0),), Shape(400, 800, 800), "float32"),
    Setting(
        ShallowNetwork(), FLOW, (Certificate(1.0),), Shape(4, 2048, 1024), "float32"
    ),  # N P outweighs the state
    Setting(
        ShallowNetwork(), FLOW, (Certificate(1.0),), Shape(2000, 64, 1000), "float32", "span"
    ),  # the draw does
    Setting(
        ShallowNetwork(Orthogonal()),
        FLOW,
        (Certificate(1.0),),
        Shape(2048, 1024, 512),
        "float32",
        "orthogonal",
    ),
    Setting(
        ShallowNetwork(),
        GradientFlow("Tsit5"),
        (Certificate(1.0),),
        Shape(800, 400, 800),
        "float32",
    ),
    Setting(
        ShallowNetwork(),
        GradientDescent(0.01, "adam"),
        (Certificate(1.0),),
        Shape(800, 800, 800),
        "float32",
    ),
]


def planned(setting, transform, width):
    """Bytes that XLA sets aside for the part that takes most, arguments included."""
    program = Program(setting, transform, width, jax.devices()[0])
    parts = [program.parts()[name] for name in ({"solve", "place", "advance"} & {*program.parts()})]
    plans = []
    for part in parts:
        compiled = jax.jit(part.function, donate_argnums=part.donated).lower(*part.shapes).compile()
        plan = compiled.memory_analysis()
        plans.append(plan.temp_size_in_bytes + plan.argument_size_in_bytes)
    return max(plans)


@pytest.mark.parametrize("setting", CASES)
def test_the_estimate_of_a_lane_is_the_compilers_within_a_factor(setting):
    found = footprint(setting).total()
    assert planned(setting, "map", 1) <= (1.05 if IS_OLD_XLA else 1.2) * found
    assert found < 3.5 * planned(setting, "map", 1)
    assert found <= memory._bound(setting)


def test_the_estimate_of_a_batch_side_by_side():
    setting = Setting(
        ShallowNetwork(),
        FLOW,
        (Certificate(1.0),),
        Shape(100, 256, 200),
        "float32",
        "ambient",
        "evaluation",
    )
    found = footprint(setting).total(16, starting=2)
    assert planned(setting, "vmap", 16) <= 1.05 * found < 3.5 * planned(setting, "vmap", 16)


@pytest.mark.parametrize("dynamics", ["descent", "flow"])
def test_the_widest_trial_of_wide_networks_takes_a_few_states(dynamics):
    """n = d = 1000, p = 2^14: far below 8 GiB, and more than the state, its start and its step."""
    study = Study.load("overparameterized")
    point = Point(study.axes.d[0], study.axes.n[0], int(study.design.plan.high))
    assert (point.d, point.n, point.p) == (1000, 1000, 2**14)
    names = study.problem, study.dynamics, study.protocol.by_name, study.precision
    settings = Settings(*names, Lanes("map"))
    key = settings.key(Trial(dynamics, point, 0, 1.0), recorded=True)
    setting = settings.setting(key)
    program = Program(setting, "map", 1, jax.devices()[0], study.record)
    part = program.parts()["record"]
    planned = jax.jit(part.function).lower(*part.shapes).compile().memory_analysis()
    state = 4 * 2 * setting.shape.N * setting.shape.P  # span coordinates: C and Z
    assert setting.coordinates == "span"
    assert 3 * state < planned.temp_size_in_bytes < 2 * GIB


def test_what_no_memory_holds_is_refused_with_numbers_before_anything_is_made():
    """W alone takes 4 d p = 37.3 GiB, and a flow holds three of its size in its state."""
    study = Study.load("demo")
    names = study.problem, study.dynamics, {"": Certificate()}, "float32"
    settings = Settings(*names, Lanes("map", threads=1))
    point = Point(100_000, 1000, 100_000)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(ValueError, match=r"got \d+ GiB at d=100000, n=1000, p=100000") as refused:
        check_memory(
            settings, [Trial("flow", Point(5, 8, 8), 0, 1.0), Trial("flow", point, 0, 1.0)]
        )
    assert time.monotonic() - began < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GIB / 4 / 1024  # in KiB
    needed = float(str(refused.value).partition("got ")[2].partition(" GiB")[0])
    assert 3 * 37.3 < needed < 12 * 37.3
    assert "\n" not in str(refused.value)


def test_workers_share_the_memory_and_the_remedies_are_those_that_help(monkeypatch, x64):
    trial = Trial("descent", Point(400, 800, 800), 0, 1.0)

    def check(threads, dtype="float32"):
        lanes = Lanes("map", threads=threads)
        dynamics = {"descent": GradientDescent()}
        event = {"": Certificate(1.0)}
        check_memory(Settings(ShallowNetwork(), dynamics, event, dtype, lanes), [trial])

    alone = Setting(
        ShallowNetwork(), GradientDescent(), (Certificate(1.0),), Shape(400, 800, 800), "float32"
    )
    one = footprint(alone).total()
    monkeypatch.setattr(memory, "memory", lambda device: 3 * one)  # of which trials take half
    check(1)
    with pytest.raises(ValueError, match=r"2 at once, got .*fewer threads") as refused:
        check(2)
    assert "float32" not in str(refused.value)
    monkeypatch.setattr(memory, "memory", lambda device: one // 2)
    with pytest.raises(ValueError, match="use float32") as refused:
        check(1, "float64")
    assert "threads" not in str(refused.value)


def test_a_width_is_halved_until_it_fits():
    setting = CASES[0]
    assert fitting(256, setting, 1e15) == 256
    for limit in (1e9, 1e8):
        width = fitting(256, setting, limit)
        assert footprint(setting).total(width, max(1, width // 8)) <= limit
        assert footprint(setting).total(2 * width, width // 4) > limit
    assert fitting(256, setting, 1.0) == 1


def test_a_cpu_has_the_memory_of_the_machine_and_another_device_its_own():
    class Device:
        def memory_stats(self):
            return {"bytes_limit": 123}

    assert memory.memory(Device()) == 123
    lines = Path("/proc/meminfo").read_text().splitlines()
    (total,) = (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal"))
    assert total / 64 < memory.memory(jax.devices("cpu")[0]) <= total
