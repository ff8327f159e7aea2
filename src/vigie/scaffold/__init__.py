"""What ``vigie init`` writes: a project of one's own, as values. Nothing here touches the disk of the user."""
