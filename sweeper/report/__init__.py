"""StudyResult ⇒ HTML, CSV, JSON, Markdown. Sees values only."""
