"""Ways to reach a person, and a machine that reaches one.

``log`` writes to the process's own log. ``channels`` sends by Apprise or as a signed CloudEvent; both hand their job to
``delivery``, a process of its own with an end in time and a ``guard`` on every connection it opens.
"""
