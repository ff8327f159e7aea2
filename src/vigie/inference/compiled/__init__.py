"""Models from plain arrays: read, checked, and turned into Python that needs neither numpy nor scikit-learn."""
