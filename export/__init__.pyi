from .saved_models import save as save
