# SPDX-License-Identifier: MIT
"""What `foreign` knows of a suite."""

# In the place of a test, what became of a run that was cut off.
WHOLE = "the whole"


class Suite:
    limit = 600  # seconds for a run
    alone = False  # do runs at the same time get into each other's way?
    stays_here = True  # is nothing elsewhere connected to?
    differs = frozenset()  # tests of what is meant to be different with a proxy

    def __init__(self, name):
        self.name = name

    def missing(self):
        """Why it cannot run here, or None."""
        raise NotImplementedError

    def run(self, env, only=None):
        """({test: outcome}, what it printed) of all its tests, or of one."""
        raise NotImplementedError
