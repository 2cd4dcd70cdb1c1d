"""Looking inside a network: what a unit computed, product by product."""
