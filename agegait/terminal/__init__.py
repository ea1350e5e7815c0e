"""What is printed on terminals, whatever it holds."""
