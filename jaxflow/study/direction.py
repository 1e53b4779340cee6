"""Which way an event is taken to grow likelier, where a study does not say so."""

from collections.abc import Mapping

from jaxflow.flow.events import Event


def usual(along: str, event: Event) -> bool:
    """Whether its probability grows along an axis.

    What is asked of fresh samples, a test loss or error, is learnt: likelier with more samples, and
    with fewer dimensions. All else is fitted: likelier with fewer samples and in more dimensions.
    Both are likelier in wider networks, and taken to be rarer at larger values of a parameter.
    """
    learns = any(name.startswith("test_") for name in event.observed)
    return {"n": learns, "d": not learns, "p": True}.get(along, False)


def of_each(along: str, events: Mapping[str, Event]) -> bool | dict[str, bool]:
    """The same of several events by name; all of them at once where they agree."""
    ways = {name: usual(along, event) for name, event in events.items()}
    return ways if len(set(ways.values())) > 1 else next(iter(ways.values()))
