"""What counts and times say: posteriors, survival, laws of growth, and their intervals."""
