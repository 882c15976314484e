"""What goes into a Unity project: an Editor script that enters Play mode whenever a learner listens."""

from pathlib import Path

SCRIPT = Path(__file__).with_name("SweeperAutoPlay.cs")
