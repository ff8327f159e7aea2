"""The one artifact: a model with its schema, profile, golden rows and card, checked before anything is parsed."""
