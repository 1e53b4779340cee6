"""Problems with a known transition, a screen each: to run, to read, and to begin one's own from."""
