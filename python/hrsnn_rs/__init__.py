"""Heterogeneous recurrent spiking neural networks that learn without labels."""
