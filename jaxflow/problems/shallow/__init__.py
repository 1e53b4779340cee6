"""Shallow networks on random data: laws, network, initialization, and three coordinates."""
