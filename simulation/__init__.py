"""A deterministic world over the unchanged engines: ``python -m simulation --seed N``.

Nothing here is shipped. See ``docs/simulation.md`` for how to read a failure.
"""
