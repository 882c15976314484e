"""Sentences, made of values where they are shown; the same in the terminal, in the report and in Markdown."""
