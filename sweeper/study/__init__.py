"""The course of a study, as values: history, stage, allowance, the judging of a session, the answer. Pure."""
