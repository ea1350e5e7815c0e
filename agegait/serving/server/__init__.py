"""The gRPC server of exported models."""
