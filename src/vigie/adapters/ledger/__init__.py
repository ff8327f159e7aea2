"""Where the loop writes down what it did and why."""
