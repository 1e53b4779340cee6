"""What every floor above shares: errors, random keys, dotted names, tables, records."""

__version__ = "0.1.0"  # in CITATION.cff and papers/references.bib too, which a test holds
