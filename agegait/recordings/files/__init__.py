"""Opens and reads files that nobody vouches for, within limits of size and memory."""
