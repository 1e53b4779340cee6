"""Study files: whatever lies there is read, or refused in one line; the purposes of presets."""

import os

import pytest

from jaxflow.study import files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff = 1", "a TOML file in UTF-8"),
        (b"small = 1", "a table [small]"),
        (b"small = [[1]]", "a table [small]"),
        (b"x = 1\nx = 2", "a TOML file"),
        (b"x = 1\n[x]", "a TOML file"),
        (b"x = " + b"9" * 5000, "a TOML file"),
        (b"x = " + b"[" * 50_000, "levels of tables and lists"),
        (b"x = " + b"{x=" * 50_000, "levels of tables and lists"),
        (b"a." * 1000 + b"a = 1", "levels of tables and lists"),
        (b"x = " + b"[" * 30 + b"]" * 30, "levels of tables and lists"),
        (b"#" * (2**20 + 1), "a study file below 1048576 bytes"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path, content, words):
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        files.parsed(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_only_a_regular_file_is_opened(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")  # to open it would wait for a writer, without end
    (tmp_path / "device.toml").symlink_to("/dev/zero")
    for name in ("folder", "pipe", "device"):
        with pytest.raises(ValueError, match="expected a regular file"):
            files.parsed(tmp_path / f"{name}.toml")
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    for name in (str(tmp_path / "loop.toml"), "x\0.toml", "x" * 5000 + ".toml", "none.toml"):
        with pytest.raises(ValueError, match="expected a study file that can be read"):
            files.parsed(name)


def test_a_file_may_begin_with_a_mark_of_its_encoding(tmp_path):
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbfname = 'x'")
    assert files.parsed(str(path)) == {"name": "x"}


@pytest.mark.parametrize("name", files.presets())
def test_a_preset_says_its_purpose_in_a_line_and_more(name):
    purpose, description = files.purpose(name), files.description(name)
    assert 20 < len(purpose) <= 51  # beside the longest name in 80 columns
    assert purpose[0].isupper()
    assert purpose[-1] != "."
    assert len(description) > 60
    assert purpose not in description
    words = files.text(name).replace("\n# ", " ").replace("\n#\n# ", " ")
    for paragraph in description.split("\n\n"):
        assert paragraph in words


def test_a_preset_by_a_wrong_name():
    with pytest.raises(ValueError, match="did you mean 'demo'"):
        files.purpose("dmeo")
    with pytest.raises(ValueError, match="did you mean 'demo'"):
        files.text("dmeo")
