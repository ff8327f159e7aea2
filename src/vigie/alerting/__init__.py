"""What of a verdict is worth telling a person, when, and in which words.

``life`` holds the rules: an alert is opened, updated and resolved, one at a time for each model, version and subject.
``memory`` reads from the ledger how things stand. ``message`` finds the words.
"""
