"""What every report is drawn with: parts of a page, charts, one look, one style sheet. It knows nothing of models.

The training report and the monitoring page say what they have to say in ``parts``; ``page`` and ``drawing`` turn that
into one HTML file that asks for nothing.
"""
