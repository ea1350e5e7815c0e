from . import descriptors as descriptors, drawing as drawing, limbs as limbs
from .schemas import (
    BONES as BONES,
    JOINTS as JOINTS,
    KGBD as KGBD,
    MIRRORED as MIRRORED,
    SCHEMAS as SCHEMAS,
    STANDING as STANDING,
    Schema as Schema,
    canonical_order as canonical_order,
    joint_of_name as joint_of_name,
    mirrored as mirrored,
    schema as schema,
    schema_of_names as schema_of_names,
    schemas_of as schemas_of,
)
