"""One batch of fields against NumPy; the other oracle is compared with rows in test_local."""

import numpy as np
import pytest

from jaxflow.engine import reference
from jaxflow.engine.reference import check_numerics, numerics_error


def test_numerics_are_checked(monkeypatch):
    assert check_numerics("float32") < 2e-5
    monkeypatch.setattr(reference, "_by_hand", lambda X, y, W, a: (W + 1, a, np.float64(1)))
    assert numerics_error("float32") > 0.1
    with pytest.raises(ValueError, match="another jaxlib"):
        check_numerics("float32")
