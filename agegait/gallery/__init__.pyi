from .audit_entry import AuditEntry as AuditEntry
from .check_page import write_check as write_check
from .database_error import GalleryDatabaseError as GalleryDatabaseError
from .drift_check import DriftCheck as DriftCheck
from .duplicate import Duplicate as Duplicate
from .gallery import Gallery as Gallery
from .gallery_check import GalleryCheck as GalleryCheck
from .gallery_copy import GalleryCopy as GalleryCopy, copy_gallery as copy_gallery
from .identification import Identification as Identification
from .match import Match as Match
from .name_taken_error import NameTakenError as NameTakenError
from .other_embedder_error import OtherEmbedderError as OtherEmbedderError
from .person import Person as Person
from .person_export import PersonExport as PersonExport
from .poor_walk_error import PoorWalkError as PoorWalkError
from .probe import Probe as Probe
from .quality import Quality as Quality
from .template import Template as Template
from .thresholds import (
    Calibration as Calibration,
    Embedder as Embedder,
    ScoreTail as ScoreTail,
    Threshold as Threshold,
    UncalibratedError as UncalibratedError,
)
from .unknown_person_error import UnknownPersonError as UnknownPersonError
from .unwiped_error import UnwipedError as UnwipedError
from .verification import Verification as Verification
from .walk_check import WalkCheck as WalkCheck
