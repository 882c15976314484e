from sweeper.compare.candidates import pool, ranked

LEADERS, MIN_BLOCKS = 2, 2


class _N:
    are_enough = False


def challengers(results, own):
    return []


def confirmed(results, keys):
    return _N()


def in_slices(results):
    return False
