"""The question that a study asks, as a notebook shows it."""

import jaxflow as jf


def question(study):
    return study._repr_html_().partition("<details>")[0]


def test_a_study_asks_in_a_sentence_and_unfolds_its_file():
    study = jf.Study.load("demo")
    html = study._repr_html_()
    assert "with d = 30 and p = 100, trained by descent (step 1) and flow (RKC2)" in html
    assert "the loss falls to 1 / 2n, within T0, fall through one half?" in html
    file = html.partition("<pre>")[2].partition("</pre>")[0]
    assert "relative_half_width" in file and "<" not in file


def test_a_step_that_is_an_axis_is_told_once_by_the_dynamics_that_has_it():
    asked = question(jf.Study.load("edge-flow"))
    assert "descent step = 2, 1.4," in asked and "edge step = 2, 1.4," in asked
    assert "(step" not in asked and "step 1" not in asked


def test_a_class_that_cannot_be_imported_goes_by_its_name():
    class Mine(jf.Perceptron):
        pass

    study = jf.Study(
        "mine",
        jf.Axes(d=(10,)),
        {"flow": jf.GradientFlow()},
        Mine(),
        jf.Horizon(time=(10.0,)),
        grid=jf.GridPlan((10, 20), 2),
    )
    asked = question(study)
    assert "For a random Mine with d = 10" in asked and "0x" not in asked


def test_a_study_that_waits_for_nothing_asks_what_is_measured():
    changes = {
        "measure": ["loss"],
        "event": {"kind": "never"},
        "grid": {"values": [8, 16], "repetitions": 1},
    }
    table = {"name": "x", "axes": {"d": [2], "p": [4]}, "dynamics": {"flow": {"kind": "flow"}}}
    asked = question(jf.Study.from_table({**table, **changes}))
    assert (
        "what is measured where trials end, at number of samples n from 8 to 16, after T0?" in asked
    )
