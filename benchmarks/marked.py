"""What a script writes into a page: the part between two marks."""


def between(text: str, name: str, part: str) -> str:
    """The text with the part between `<!-- name -->` and `<!-- end of name -->`."""
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, rest = text.split(first)
    _, after = rest.split(last)
    return "\n".join([before + first, "", part, "", last + after])


def rows(head: list[str], body: list[list[str]]) -> str:
    """A table in Markdown."""
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *body])
