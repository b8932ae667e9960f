"""Adjusted p values against SciPy and statsmodels."""

import pytest
from scipy.stats import false_discovery_control

from seatrial.statistics.several import benjamini_hochberg, holm

VALUES = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04]


def test_agrees_with_statsmodels():
    """Figures of statsmodels 0.15.0, ``multipletests`` by ``holm`` and ``fdr_bh``."""
    assert holm(VALUES) == pytest.approx([0.05, 0.12, 0.12, 0.03, 0.2, 0.12])
    assert benjamini_hochberg(VALUES) == pytest.approx([0.03, 0.048, 0.048, 0.03, 0.2, 0.048])


@pytest.mark.parametrize("values", [VALUES, [1.0, 1.0], [0.5], [0.0, 0.9, 0.001, 0.02, 0.02, 0.7, 0.049]])
def test_agrees_with_scipy(values):
    assert benjamini_hochberg(values) == pytest.approx(false_discovery_control(values, method="bh"))


def test_nothing_and_what_is_no_p_value():
    assert holm([]) == benjamini_hochberg([]) == ()
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="p value"):
            adjust([0.1, 1.2])
