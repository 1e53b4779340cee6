"""Which trials to run next: axes, horizons, and plans that ask and are told."""
