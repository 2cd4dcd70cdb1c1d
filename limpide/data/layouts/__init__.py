"""A path or a name → a Dataset: folders, tables and archives, as users arrange them. Nothing is decoded here."""
