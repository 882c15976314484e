"""What a check found, for people and for CI: a sentence, a page, and the files that CI systems read."""
