"""BibTeX of what the trials of a store stand on, with a line of why before each entry."""

from pathlib import Path

from jaxflow.core.errors import printable
from jaxflow.core.open_names import is_open
from jaxflow.papers.references import KINDS, cited, entries, facts_of
from jaxflow.store.store import Store


def bibtex(folder: str | Path) -> str:
    """The entries of all designs run on a store; names of a user's own are told, not imported."""
    with Store.read(folder) as store:
        facts = list(facts_of(store.protocol.table, [design.table for design in store.designs]))
    known = entries()
    told = [f"% {why}\n{known[key]}" for key, why in cited(facts).items()]
    own = (f"{name} = {kind}" for name, kind in facts if name in KINDS and is_open(kind))
    told += [f"% {printable(line)}: not of jaxflow, cite its own source" for line in own]
    return "\n\n".join(dict.fromkeys(told))
