"""Which slices make a plane."""

from types import SimpleNamespace

from jaxflow.report.plane import planes


def slice_at(name, **place):
    return SimpleNamespace(name=name, place=place, is_point=False, plan=None, together=None)


def test_slices_of_other_axes_are_of_other_planes():
    """As those of designs that vary a parameter, and of others that do not."""
    plain = [slice_at("flow", d=d, p=8) for d in (5, 10)]
    scaled = [slice_at("flow", d=5, p=8, **{"problem.scale": x}) for x in (1.0, 2.0)]
    alone = slice_at("descent", d=5, p=8)
    found = planes([*plain, *scaled, alone])
    assert [[*plane.slices] for plane in found] == [plain, scaled]
    assert [[axis.name for axis in plane.axes] for plane in found] == [["d"], ["problem.scale"]]
