"""A path or a name → a Dataset: folders, tables and archives, as people arrange them. Nothing is decoded here."""
