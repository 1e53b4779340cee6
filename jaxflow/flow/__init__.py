"""One trial of any problem, unbatched and pure: solver, control, stopping, recording."""
