from .find_stores import find_stores as find_stores
from .store import Store as Store, is_same_person as is_same_person
