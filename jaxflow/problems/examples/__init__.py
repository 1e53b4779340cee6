"""Problems with a known transition: to run, to read, and to begin one's own from."""
