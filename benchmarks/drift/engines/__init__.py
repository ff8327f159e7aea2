"""The engines, one file each: what is done once on the reference, and what for every window. ``engine`` times them.

Peers that report their use to their makers are told not to: this is imported before any of them.
"""

import os

os.environ.update(DO_NOT_TRACK="1", NML_DISABLE_USAGE_LOGGING="1", WHYLOGS_NO_ANALYTICS="True")
