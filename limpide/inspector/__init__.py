"""Answers questions about networks and images, from the studio's pages and from the notebook's."""
