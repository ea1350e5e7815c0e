"""The kinds of file that hold walks, each read by a module of its own."""
