"""What runs inside the learner's Python. Its files import nothing of ours; `inside/` is put on the learner's path."""

from pathlib import Path

INSIDE = Path(__file__).parent / "inside"
"""A folder that holds the probe and its entry point, and nothing else: it is prepended to PYTHONPATH."""
