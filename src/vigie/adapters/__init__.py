"""The rim: where bytes come in and go out."""
