"""The base of all builders."""

from typing import Any

import tensorflow_datasets as tfds


class LocalBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Builds a data set that TFDS's own bucket does not have."""

    def dataset_info_from_configs(self, **kwargs: Any) -> tfds.core.DatasetInfo:
        """The data set's information, with the description and the citation of the builder's folder."""
        metadata = self.get_metadata()
        return _LocalInfo(builder=self, description=metadata.description, citation=metadata.citation, **kwargs)


class _LocalInfo(tfds.core.DatasetInfo):
    def initialize_from_bucket(self) -> None:
        """Does nothing. TFDS would ask the network for each new builder, and leave a temporary folder behind."""
