"""Which way an event is taken to grow likelier, where a study does not say so."""

from jaxflow.flow.events import Event


def usual(along: str, event: Event) -> bool:
    """Whether its probability grows along an axis.

    What is asked of fresh samples, a test loss or error, is learnt: likelier with more samples, and
    with fewer dimensions. All else is fitted: likelier with fewer samples and in more dimensions.
    Both are likelier in wider networks, and taken to be rarer at larger values of a parameter.
    """
    learns = any(name.startswith("test_") for name in event.observed)
    return {"n": learns, "d": not learns, "p": True}.get(along, False)
