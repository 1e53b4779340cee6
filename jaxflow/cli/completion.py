"""What a shell completes: commands, flags, names of presets, study files and folders.

shtab writes the script from the parser; what an argument may be is known by its metavar.
"""

import argparse
from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")


def completion(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Print the script that makes a shell complete what the parser reads."""
    import shtab

    from jaxflow.study import files

    names = " ".join(files.presets())
    kinds = {
        "STUDY": _studies(names),
        "NAME": _presets(names),
        "DIR": shtab.DIRECTORY,
        "OTHER": shtab.DIRECTORY,
        "FILE": shtab.FILE,
    }
    for action in _actions(parser):
        if action.dest != "dynamics" and action.metavar in kinds:
            action.complete = kinds[action.metavar]  # type: ignore[attr-defined]
    print(shtab.complete(parser, options.shell))
    return 0


def _presets(names: str) -> dict[str, object]:
    bash = f'_jaxflow_presets() {{ compgen -W "{names}" -- $1; }}'
    shells = {"bash": "_jaxflow_presets", "zsh": f"({names})", "fish": names}
    return {**shells, "preamble": {"bash": bash}}


def _studies(names: str) -> dict[str, object]:
    """Presets, study files, and folders that have one."""
    bash = f"""_jaxflow_studies() {{
  compgen -W "{names}" -- $1
  compgen -f -X '!*.toml' -- $1
  compgen -d -- $1
}}"""
    zsh = f"""_jaxflow_studies() {{
  _alternative "presets:preset:({names})" "files:study file:_files -g '*.toml'"
}}"""
    fish = f"""function _jaxflow_studies
  string split ' ' '{names}'
  __fish_complete_suffix .toml
end"""
    return {
        "bash": "_jaxflow_studies",
        "zsh": "_jaxflow_studies",
        "fish": "(_jaxflow_studies)",
        "preamble": {"bash": bash, "zsh": zsh, "fish": fish},
    }


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a parser and of those of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
