"""One session's samples ⇒ a Measurement. Pure: sees values, never a process or a clock."""
