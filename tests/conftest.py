"""What every test shares."""

from hypothesis import settings

# Properties say what is true, not how fast: on a shared machine a deadline is a coin toss.
settings.register_profile("vigie", deadline=None)
settings.load_profile("vigie")
