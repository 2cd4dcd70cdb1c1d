"""Answers questions about networks and images: asked by the studio's pages and by the notebook's."""
