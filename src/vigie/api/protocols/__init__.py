"""The bodies that clients of other servers already send: one file a contract."""
