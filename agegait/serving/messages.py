"""The messages that the client needs of TensorFlow Serving's interface, without TensorFlow.

The tensorflow-serving-api package imports TensorFlow, which takes seconds and hundreds of megabytes. These have the
same names and field numbers, so they are the same on the wire; they live in a descriptor pool of their own, so they do
not collide with TensorFlow's where both are loaded. Enumerations are plain numbers here: the wire does not tell.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TENSOR = (
    "int32 dtype 1, tensorflow.TensorShapeProto tensor_shape 2, int32 version_number 3, bytes tensor_content 4, "
    "int32* int_val 7, bytes* string_val 8, int64* int64_val 10, bool* bool_val 11, uint32* uint32_val 16, "
    "uint64* uint64_val 17"
)
"""The fields of a TensorProto but for its floating-point values."""

_FIELDS = {
    "google.protobuf.Any": "string type_url 1, bytes value 2",
    "google.protobuf.Int64Value": "int64 value 1",
    "tensorflow.TensorShapeProto.Dim": "int64 size 1, string name 2",
    "tensorflow.TensorShapeProto": "tensorflow.TensorShapeProto.Dim* dim 2, bool unknown_rank 3",
    "tensorflow.TensorProto": f"float* float_val 5, double* double_val 6, {_TENSOR}",
    "tensorflow.TensorInfo": "string name 1, int32 dtype 2, tensorflow.TensorShapeProto tensor_shape 3",
    "tensorflow.SignatureDef": (
        "map:tensorflow.TensorInfo inputs 1, map:tensorflow.TensorInfo outputs 2, string method_name 3"
    ),
    "tensorflow.serving.ModelSpec": (
        "string name 1, google.protobuf.Int64Value version 2, string version_label 4, string signature_name 3"
    ),
    "tensorflow.serving.PredictRequest": (
        "tensorflow.serving.ModelSpec model_spec 1, map:tensorflow.TensorProto inputs 2, string* output_filter 3"
    ),
    "tensorflow.serving.GetModelMetadataRequest": (
        "tensorflow.serving.ModelSpec model_spec 1, string* metadata_field 2"
    ),
    "tensorflow.serving.GetModelMetadataResponse": (
        "tensorflow.serving.ModelSpec model_spec 1, map:google.protobuf.Any metadata 2"
    ),
    "tensorflow.serving.SignatureDefMap": "map:tensorflow.SignatureDef signature_def 1",
    "tensorflow.serving.GetModelStatusRequest": "tensorflow.serving.ModelSpec model_spec 1",
    "tensorflow.serving.StatusProto": "int32 error_code 1, string error_message 2",
    "tensorflow.serving.ModelVersionStatus": (
        "int64 version 1, int32 state 2, tensorflow.serving.StatusProto status 3"
    ),
    "tensorflow.serving.GetModelStatusResponse": "tensorflow.serving.ModelVersionStatus* model_version_status 1",
    "grpc.health.v1.HealthCheckRequest": "string service 1",
    "grpc.health.v1.HealthCheckResponse": "int32 status 1",
    # As the wire has them: a packed field of numbers is one or more strings of bytes there, and is read and written so.
    "agegait.PackedTensor": f"bytes* float_val 5, bytes* double_val 6, {_TENSOR}",
    "agegait.PackedResponse": "tensorflow.serving.ModelSpec model_spec 2, map:agegait.PackedTensor outputs 1",
}
"""Each message's fields: a type (`*` repeated, `map:` from strings), a name and a number."""

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    name: getattr(_Field, f"TYPE_{name.upper()}")
    for name in ("bool", "bytes", "double", "float", "int32", "int64", "string", "uint32", "uint64")
}


def _load() -> dict[str, Any]:
    pool = descriptor_pool.DescriptorPool()
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    for name, fields in _FIELDS.items():
        package, *names = _split(name)
        if package not in files:
            files[package] = descriptor_pb2.FileDescriptorProto(
                name=f"agegait/{package}",
                package=package,
                syntax="proto3",
                dependency=[file.name for file in files.values()],
            )
        siblings = files[package].message_type
        for outer in names[:-1]:
            siblings = _message(siblings, outer).nested_type
        message = _message(siblings, names[-1])
        for field in fields.split(", "):
            _add_field(message, name, *field.split())
    for file in files.values():
        pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in _FIELDS}


def _split(name: str) -> list[str]:
    """`a.b.C.D` to the package `a.b` and the messages `C` and `D`."""
    parts = name.split(".")
    start = next(place for place, part in enumerate(parts) if part[0].isupper())
    return [".".join(parts[:start]), *parts[start:]]


def _message(siblings: Any, name: str) -> Any:
    return next((one for one in siblings if one.name == name), None) or siblings.add(name=name)


def _add_field(message: Any, parent: str, kind: str, name: str, number: str) -> None:
    repeated = kind.endswith("*") or kind.startswith("map:")
    field = message.field.add(name=name, number=int(number))
    field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    if kind.startswith("map:"):
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _add_field(entry, parent, "string", "key", "1")
        _add_field(entry, parent, kind.removeprefix("map:"), "value", "2")
        kind = f"{parent}.{entry.name}"
    kind = kind.removesuffix("*")
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{kind}"


MESSAGES = _load()
"""Every message class, by its full name."""

TensorProto = MESSAGES["tensorflow.TensorProto"]
PredictRequest = MESSAGES["tensorflow.serving.PredictRequest"]
GetModelMetadataRequest = MESSAGES["tensorflow.serving.GetModelMetadataRequest"]
GetModelMetadataResponse = MESSAGES["tensorflow.serving.GetModelMetadataResponse"]
SignatureDefMap = MESSAGES["tensorflow.serving.SignatureDefMap"]
GetModelStatusRequest = MESSAGES["tensorflow.serving.GetModelStatusRequest"]
GetModelStatusResponse = MESSAGES["tensorflow.serving.GetModelStatusResponse"]
HealthCheckRequest = MESSAGES["grpc.health.v1.HealthCheckRequest"]
HealthCheckResponse = MESSAGES["grpc.health.v1.HealthCheckResponse"]
PackedTensor = MESSAGES["agegait.PackedTensor"]
PackedResponse = MESSAGES["agegait.PackedResponse"]
