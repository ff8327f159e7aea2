"""A fitted scikit-learn pipeline as plain arrays: read out of the fitted objects, or refused with a reason."""
