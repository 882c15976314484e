"""The page, a panel each: what it says, its figure and its template, side by side under one name.

`contents` of a panel gives what its template needs, or None where there is nothing to show.
"""
