"""Finds the settings that make ML-Agents training fastest on the hardware in front of it."""

__version__ = "0.1.0"
