"""The driver of the side-by-side benchmark.

Standard library only, so that it runs from a clean clone.
"""
