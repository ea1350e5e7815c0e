from .edge import save_for_edge as save_for_edge
from .exported_embedder import ExportedEmbedder as ExportedEmbedder
from .saved_models import save as save
