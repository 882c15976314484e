"""Writes docs/troubleshooting.md from the table of sweeper/troubles."""

from pathlib import Path

from sweeper.troubles.page import page

if __name__ == "__main__":
    path = Path(__file__).parent.parent / "docs" / "troubleshooting.md"
    path.write_text(page(), encoding="utf-8")
