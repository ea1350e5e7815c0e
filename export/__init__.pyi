from .exported_embedder import ExportedEmbedder as ExportedEmbedder
from .saved_models import save as save
