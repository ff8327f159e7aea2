"""Whether the service is well, whether the data look like the training data, and whether the model is still right."""
