"""Throughput and field evaluations, measured side by side."""
