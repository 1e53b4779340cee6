"""Many trials on the devices of a machine: buckets, compiled programs, and their runner."""
