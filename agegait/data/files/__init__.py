"""What files of walks hold, each kind read by a module of its own."""
