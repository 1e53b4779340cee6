"""What shells complete; fish and zsh where this machine has them."""

import shutil
import subprocess

import pytest

from jaxflow.cli.completion import SHELLS
from jaxflow.cli.parser import main
from jaxflow.study.files import presets

BASH = """
source {script}
COMP_WORDS=({line}) COMP_CWORD={last}
_shtab_jaxflow jaxflow "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def script(capsys, tmp_path):
    def made(shell):
        assert main(["completion", shell]) == 0
        path = tmp_path / f"jaxflow.{shell}"
        path.write_text(capsys.readouterr().out)
        return path

    return made


def answer(shell, code):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    found = subprocess.run([shell, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr == ""
    return [line.split("\t")[0] for line in found.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("jaxflow thr", {"thresholds"}),
        ("jaxflow run demo --transf", {"--transform"}),
        ("jaxflow presets edge-flow-d", {"edge-flow-d50", "edge-flow-d100"}),
        ("jaxflow trial quadratic-p", {"quadratic-path"}),
        ("jaxflow completion z", {"zsh"}),
    ],
)
def test_words_are_completed(script, line, expected):
    code = BASH.format(script=script("bash"), line=line, last=len(line.split()) - 1)
    assert set(answer("bash", code)) == expected
    fish = f"source {script('fish')}; complete -C '{line}'"
    if shutil.which("fish"):
        assert set(answer("fish", fish)) == expected


def test_a_study_is_a_preset_a_toml_file_or_a_folder(script, tmp_path, monkeypatch):
    path = script("bash")
    place = tmp_path / "here"
    (place / "deeper").mkdir(parents=True)
    for name in ("demonstration.toml", "demonstration.txt"):
        (place / name).write_text("")
    monkeypatch.chdir(place)
    found = answer("bash", BASH.format(script=path, line="jaxflow run de", last=2))
    assert set(found) == {"demo", "demonstration.toml", "deeper"}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_reads_its_script(script, shell):
    path = script(shell)
    assert answer(shell, f"{shell} -n {path}") == []
    assert all(name in path.read_text() for name in presets())


def test_another_shell_is_refused(capsys):
    with pytest.raises(SystemExit) as left:
        main(["completion", "tcsh"])
    assert left.value.code == 2
    assert "bash" in capsys.readouterr().err
