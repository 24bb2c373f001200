"""Fuzzing of everything that reads bytes of others: ``python -m fuzz TARGET``.

Nothing here is shipped. What is run and found stands in ``docs/evidence/fuzzing.md``.
"""
