"""Makes what is ours known to Keras, so that `keras.models.load_model` needs no more than `import agegait`."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class KerasWatch(MetaPathFinder):
    """A finder that waits for Keras to be imported and imports what registers itself with it right after it.

    So neither the order of the two imports matters, nor does `import agegait` cost those a Keras who need none. Where
    it is our layers' own import that brings Keras in, they register themselves, and the others once they are imported.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Keras as others find it, with what is ours after it; nothing else is found here."""
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_then_register(module: ModuleType) -> None:
                execute(module)
                if "agegait.layers" not in sys.modules:
                    _register()

            spec.loader.exec_module = execute_then_register  # type: ignore[method-assign]
        return spec


def register_with_keras() -> None:
    """Registers what is ours now if Keras is there, else as soon as it is."""
    if "keras" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, KerasWatch())


def _register() -> None:
    for name in ("agegait.losses", "agegait.models", "agegait.training.optimizers"):
        importlib.import_module(name)
