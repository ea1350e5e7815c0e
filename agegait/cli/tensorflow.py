import sys

from agegait.cli.quiet_import import quiet_import


def start_tensorflow(data_sets: bool = True) -> None:
    """Imports what takes long, without its remarks about the machine and its advice to programmers."""
    with quiet_import():
        import tensorflow as tf

        tf.config.list_physical_devices()
    tf.get_logger().setLevel("ERROR")
    if data_sets:
        with quiet_import():
            import tensorflow_datasets as tfds

        if not sys.stderr.isatty():
            tfds.disable_progress_bar()
