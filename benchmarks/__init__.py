"""What Vigie costs and how good it is, beside its peers, measured so that a reader can repeat it.

::

    python -m benchmarks              the names, one line each
    python -m benchmarks NAME         run one and print tables
    python -m benchmarks NAME --json  the same as one JSON object

The harness, in the order a run goes through it: ``catalogue`` (which benchmarks there are), ``environments`` (a locked
environment for each peer), ``processes`` (each peer in a process of its own, its CPU time read from the system),
``findings`` (what was measured, what was asked of it), ``machine`` (where), ``report`` (JSON, tables). A benchmark is a
folder with a ``benchmark.py`` whose ``run(request)`` returns ``Findings``.

This file imports nothing: the processes of peers pass through it, and their imports are timed.
"""
