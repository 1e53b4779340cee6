"""A study: what it is, how it is run and checked, and how long it will take."""
