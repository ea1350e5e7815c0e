"""Training one model on several machines."""

from typing import Any

import keras
import tensorflow as tf


class Workers:
    """Processes, on one machine or on several, that train one model together, each on its share of every batch.

    Every worker runs the same program. `TF_CONFIG`, as TensorFlow has it, tells each where all of them are and which of
    them it is; without, there is one. They keep equal weights: the gradients of each step are averaged over the workers
    before the optimizer sees them, so that clipping and the like do what they do in one process. A worker has one
    device, `CUDA_VISIBLE_DEVICES` says which GPU; several workers may be on one machine.

    Make it at the start of the program, before TensorFlow computes anything: it waits until all workers are there.

    Attributes:
        count: How many they are.
        index: Which of them this is, from 0.

    Raises:
        ValueError: Keras is on another backend, which has `keras.distribution` instead, or this worker has several
            devices.

    Example:
        >>> workers = agegait.training.distribution.Workers()
        >>> encoder = agegait.GaitEncoder()
        >>> encoder.compile(workers.optimizer(keras.optimizers.Adam(5e-4)))
        >>> workers.agree(encoder)
        >>> encoder.fit(workers.share(windows.batch(256)))
    """

    def __init__(self) -> None:
        backend = keras.backend.backend()
        if backend != "tensorflow":
            raise ValueError(f"backend: expected tensorflow, received {backend}, which has keras.distribution instead.")
        self._strategy = tf.distribute.MultiWorkerMirroredStrategy()
        devices = len(self._strategy.extended.worker_devices)
        if devices > 1:
            raise ValueError(f"CUDA_VISIBLE_DEVICES: expected one device for each worker, found {devices} devices.")
        self.count = self._strategy.num_replicas_in_sync
        self.index = self._strategy.cluster_resolver.task_id or 0

    def optimizer(self, optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
        """An optimizer as the one given, that steps by the mean of all workers' gradients.

        Args:
            optimizer: Any of Keras's, not yet used.
        """
        workers, kind = self, type(optimizer)

        class Averaging(kind):  # type: ignore[valid-type, misc]
            def apply(self, grads: list[tf.Tensor], trainable_variables: list[keras.Variable] | None = None) -> None:
                return super().apply(workers.mean(grads), trainable_variables)

        # Under the same name, so that a model saved with it loads without workers, with the optimizer given.
        for name in ("__module__", "__name__", "__qualname__"):
            setattr(Averaging, name, getattr(kind, name))
        return Averaging.from_config(optimizer.get_config())

    def share(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """This worker's rows of each batch, every `count`-th.

        All workers have to give it the same batches in the same order, as `data.shuffled_epochs` makes them. Shares are
        of one size: where they do not divide a batch, some of its rows come in two shares.

        Args:
            batches: A data set of batches: tensors, or tuples or dicts of tensors, of as many rows each.
        """

        def of_worker(*batch: Any) -> Any:
            rows = tf.shape(tf.nest.flatten(batch)[0])[0]
            size = (rows + self.count - 1) // self.count
            own = (self.index + self.count * tf.range(size)) % rows
            shares = tf.nest.map_structure(lambda tensor: tf.gather(tensor, own), batch)
            return shares if len(shares) > 1 else shares[0]

        return batches.map(of_worker)

    def agree(self, model: keras.Model) -> None:
        """Gives the first worker's weights to the model of each; it has to be built."""
        weights = [tf.convert_to_tensor(weight) for weight in model.weights]
        of_first = [weight if self.index == 0 else tf.zeros_like(weight) for weight in weights]
        model.set_weights([weight.numpy() for weight in self._reduced(tf.distribute.ReduceOp.SUM, of_first)])

    def mean(self, tensors: list[tf.Tensor]) -> list[tf.Tensor]:
        """The mean of each tensor over the workers, which all have to ask for it; None stays None."""
        there = [tensor for tensor in tensors if tensor is not None]
        means = iter(self._reduced(tf.distribute.ReduceOp.MEAN, there))
        return [None if tensor is None else next(means) for tensor in tensors]

    @tf.function
    def _reduced(self, operation: tf.distribute.ReduceOp, tensors: list[tf.Tensor]) -> list[tf.Tensor]:
        def of_replica(tensors: list[tf.Tensor]) -> list[tf.Tensor]:
            here = [tf.identity(tensor) for tensor in tensors]  # on a device that the collective knows
            return tf.distribute.get_replica_context().all_reduce(operation, here)

        return self._strategy.run(of_replica, args=(tensors,))
