"""The gRPC client, without TensorFlow."""
