"""Logistic regression on random labels: the perceptron's transition, at another speed.

Where a plane separates the labels the loss has no minimum: the length of w grows without end, and
its direction comes to that of the largest margin like 1/log t (D. Soudry et al., JMLR 19 (2018)
1-57). `GradientFlow(clock="loss")` moves by ds = dt / L, and so like 1/s. The event is
`Above("margin", 0)`, possible as often as Cover's formula (1965) says.
"""

from dataclasses import dataclass

from jaxflow.problems.examples.perceptron import Perceptron


@dataclass(frozen=True, eq=False)
class LogisticRegression(Perceptron):
    """Gaussian inputs, random signs, a linear classifier without bias; the logistic loss.

    Inputs have a length of about 1.
    """

    loss = "logistic"
