"""A folder of walks: which files are walks, of whom, in which form and order of joints."""
