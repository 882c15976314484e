"""`sweeper check`: is the candidate slower than the baseline?"""
