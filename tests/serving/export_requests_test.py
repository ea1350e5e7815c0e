import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.any_pb2 import Any as AnyMessage
from hypothesis import example, given, settings, strategies as st
from support.budget import examples
from support.export_walker import FRAMES, JOINTS, SERVING, changed, export, refused, serving, tensor, walks_request
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    regression_pb2,
)

Code = grpc.StatusCode
MAX_ELEMENTS = 10_000
MAX_MESSAGE = 1 << 20


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """One server for all tests: none of them changes anything in it."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "walker").mkdir()
    export(folder / "walker", 1)
    with serving(folder, max_elements=MAX_ELEMENTS, max_message_bytes=MAX_MESSAGE) as (_, plain):
        yield plain


def rename(request):
    request.inputs["bones"].CopyFrom(request.inputs["skeletons"])
    del request.inputs["skeletons"]


SIZE = "input size does not match signature"
ZEROS = np.zeros((2, 9, JOINTS, 3), np.float32)
REFUSED = {
    "no model_spec": (lambda r: r.ClearField("model_spec"), Code.INVALID_ARGUMENT, "Missing ModelSpec"),
    "no name": (
        lambda r: r.model_spec.ClearField("name"),
        Code.INVALID_ARGUMENT,
        "ModelSpec has no name specified.",
    ),
    "unknown model": (
        lambda r: setattr(r.model_spec, "name", "m"),
        Code.NOT_FOUND,
        "Servable not found for request: Latest(m)",
    ),
    "unknown version": (
        lambda r: setattr(r.model_spec.version, "value", 9),
        Code.NOT_FOUND,
        "Servable not found for request: Specific(walker, 9)",
    ),
    "unknown label": (
        lambda r: setattr(r.model_spec, "version_label", "x"),
        Code.INVALID_ARGUMENT,
        "Unrecognized servable version label: x",
    ),
    "unknown signature": (
        lambda r: setattr(r.model_spec, "signature_name", "x"),
        Code.FAILED_PRECONDITION,
        'Serving signature key "x" not found.',
    ),
    "missing input": (lambda r: r.inputs.clear(), Code.INVALID_ARGUMENT, SIZE, "Missing but required: {skeletons}"),
    "extra input": (
        lambda r: r.inputs["bones"].CopyFrom(r.inputs["skeletons"]),
        Code.INVALID_ARGUMENT,
        SIZE,
        "Sent extra: {bones}",
    ),
    "renamed input": (rename, Code.INVALID_ARGUMENT, SIZE, "Sent extra: {bones}", "required: {skeletons}"),
    "dtype": (
        lambda r: r.inputs["skeletons"].CopyFrom(tf.make_tensor_proto(np.ones((1, FRAMES, JOINTS, 3)))),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected float32, received float64",
    ),
    "unknown dtype": (tensor(dtype=20), Code.INVALID_ARGUMENT, "'skeletons': expected float32, received dtype 20"),
    "rank": (
        tensor(shape=[FRAMES, JOINTS, 3]),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected shape [-1, -1, 5, 3], received [4, 5, 3]",
    ),
    "fixed dimension": (
        tensor(shape=[1, JOINTS, FRAMES, 3]),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected shape [-1, -1, 5, 3], received [1, 5, 4, 3]",
    ),
    "unknown rank": (
        lambda r: r.inputs["skeletons"].tensor_shape.CopyFrom(tf.TensorShape(None).as_proto()),
        Code.INVALID_ARGUMENT,
        "tensor parsing error: input 'skeletons'",
    ),
    "negative dimension": (
        lambda r: setattr(r.inputs["skeletons"].tensor_shape.dim[0], "size", -1),
        Code.INVALID_ARGUMENT,
        "tensor parsing error: input 'skeletons'",
    ),
    "too many dimensions": (
        tensor(shape=[1] * 300),
        Code.INVALID_ARGUMENT,
        "tensor parsing error: input 'skeletons'",
    ),
    "nan": (tensor(float_val=[float("nan")], tensor_content=b""), Code.INVALID_ARGUMENT, "'skeletons'", "finite"),
    "infinity": (tensor(float_val=[float("inf")], tensor_content=b""), Code.INVALID_ARGUMENT, "'skeletons'", "finite"),
    "out of this world": (
        tensor(float_val=[-3e38], tensor_content=b""),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected coordinates within 1,000,000, received larger ones",
    ),
    "too few frames": (
        tensor(shape=[1, 3, JOINTS, 3], tensor_content=b"", float_val=[0.0]),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected at least 4 frames, received 3",
    ),
    "no frames": (
        tensor(shape=[1, 0, JOINTS, 3], tensor_content=b""),
        Code.INVALID_ARGUMENT,
        "input 'skeletons': expected at least 4 frames, received 0",
    ),
    "four tebibytes": (
        tensor(shape=[2**40, FRAMES, JOINTS, 3], tensor_content=b"", float_val=[0.0]),
        Code.INVALID_ARGUMENT,
        "input 'skeletons'",
        "more elements than the limit of 10000",
    ),
    "nothing of four tebibytes": (
        tensor(shape=[0, 2**40, JOINTS, 3], tensor_content=b""),
        Code.INVALID_ARGUMENT,
        "more elements than the limit",
    ),
    "content too short": (
        tensor(tensor_content=b"abc"),
        Code.INVALID_ARGUMENT,
        "tensor parsing error: input 'skeletons': tensor_content has 3 bytes, its shape needs 240",
    ),
    "too many values": (
        tensor(tensor_content=b"", float_val=[0.0] * 61),
        Code.INVALID_ARGUMENT,
        "tensor parsing error: input 'skeletons': float_val has 61 values, its shape holds 60",
    ),
    "unknown output": (lambda r: r.output_filter.append("x"), Code.INVALID_ARGUMENT, "not found in signature: x"),
    "repeated output": (
        lambda r: r.output_filter.extend(["score", "score"]),
        Code.INVALID_ARGUMENT,
        "duplicate output tensor alias: score",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_request_is_refused_by_name(plain, case):
    change, code, *words = REFUSED[case]
    with refused(code, *words):
        plain.predict(changed(change))


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([3, 9], "input 'lengths': expected 4 to 9 frames, received 3"),
        ([4, 10], "input 'lengths': expected 4 to 9 frames, received 10"),
        ([9], "expected the same batch in each, lengths has 1, skeletons has 2"),
    ],
)
def test_wrong_lengths_are_refused(plain, lengths, words):
    request = walks_request(ZEROS, signature="padded")
    request.inputs["lengths"].CopyFrom(tf.make_tensor_proto(np.array(lengths, np.int32)))
    with refused(Code.INVALID_ARGUMENT, words):
        plain.predict(request)


def test_what_the_graph_refuses_shows_neither_nodes_nor_values(plain):
    with pytest.raises(grpc.RpcError) as caught:
        plain.predict(walks_request(np.full((1, FRAMES, JOINTS, 3), 123.0, np.float32), signature="fussy"))
    assert caught.value.code() == Code.INVALID_ARGUMENT
    assert caught.value.details() == "the model refused the values of skeletons"


def test_what_has_no_finite_answer_is_refused(plain):
    with refused(Code.INVALID_ARGUMENT, "the values of skeletons are beyond the model: its score are not finite"):
        plain.predict(walks_request(np.full((1, FRAMES, JOINTS, 3), -1.0, np.float32), signature="root"))


def test_an_answer_carries_what_answered(plain):
    response = plain.predict()
    assert (response.model_spec.name, response.model_spec.version.value) == ("walker", 1)
    assert response.model_spec.signature_name == "serving_default"
    assert set(response.outputs) == {"score", "person"}
    assert list(response.outputs["score"].float_val) == [1.0]
    assert not response.outputs["score"].tensor_content
    assert list(response.outputs["person"].string_val) == [b"1"]


def test_a_filter_leaves_what_it_names(plain):
    assert set(plain.predict(walks_request(outputs=["person"])).outputs) == {"person"}


def test_several_signatures(plain):
    request = walks_request(np.ones((2, 9, JOINTS, 3), np.float32), signature="padded")
    request.inputs["lengths"].CopyFrom(tf.make_tensor_proto(np.array([4, 9], np.int32)))
    response = plain.predict(request)
    assert response.model_spec.signature_name == "padded"
    assert list(response.outputs["score"].float_val) == [4 * 15, 9 * 15]
    assert tf.make_ndarray(plain.predict(walks_request(signature="fussy")).outputs["total"]) == 60


@pytest.mark.parametrize("typed", [True, False])
def test_both_encodings_are_read(plain, typed):
    walks = np.random.default_rng(0).normal(size=(3, 7, JOINTS, 3)).astype(np.float32)
    request = walks_request(walks)
    if typed:
        change = tensor(tensor_content=b"", float_val=walks.ravel().tolist())
        change(request)
    scores = tf.make_ndarray(plain.predict(request).outputs["score"])
    np.testing.assert_allclose(scores, walks.mean(axis=(1, 2, 3)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("values", "mean"), [([3.0], 3.0), ([0.0] * 30 + [2.0], 1.0), ([], 0.0)])
def test_typed_values_that_run_out_repeat_the_last(plain, values, mean):
    response = plain.predict(changed(tensor(tensor_content=b"", float_val=values)))
    np.testing.assert_allclose(response.outputs["score"].float_val, [mean], rtol=1e-6)


def test_no_walks_give_no_people(plain):
    response = plain.predict(walks_request(np.zeros((0, FRAMES, JOINTS, 3), np.float32)))
    assert tf.make_ndarray(response.outputs["score"]).shape == (0,)


def test_a_message_over_the_limit(plain):
    with refused(Code.RESOURCE_EXHAUSTED):
        plain.predict(changed(tensor(tensor_content=bytes(MAX_MESSAGE))))


def test_what_is_no_message(plain):
    call = plain.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with refused(Code.INVALID_ARGUMENT, "the request is no PredictRequest"):
        call(b"\xff\xff\xff", timeout=20)


@pytest.mark.parametrize(
    ("method", "request_type"),
    [
        ("Classify", classification_pb2.ClassificationRequest),
        ("Regress", regression_pb2.RegressionRequest),
        ("MultiInference", inference_pb2.MultiInferenceRequest),
    ],
)
def test_what_is_not_offered(plain, method, request_type):
    with refused(Code.UNIMPLEMENTED):
        getattr(plain.prediction, method)(request_type(), timeout=20)


def metadata_request(fields, name="walker"):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    if name is not None:
        request.model_spec.name = name
    return request


def test_metadata_has_the_signatures(plain):
    response = plain.prediction.GetModelMetadata(metadata_request(["signature_def"]), timeout=20)
    assert (response.model_spec.name, response.model_spec.version.value) == ("walker", 1)
    signatures, packed = get_model_metadata_pb2.SignatureDefMap(), response.metadata["signature_def"]
    assert isinstance(packed, AnyMessage)
    assert packed.Unpack(signatures)
    assert set(signatures.signature_def) == {"serving_default", "padded", "fussy", "root"}
    skeletons = signatures.signature_def["padded"].inputs["skeletons"]
    assert [dim.size for dim in skeletons.tensor_shape.dim] == [-1, -1, JOINTS, 3]


@pytest.mark.parametrize(
    ("fields", "name", "code", "words"),
    [
        ([], "walker", Code.INVALID_ARGUMENT, "at least one metadata_field"),
        (["signature_def", "x"], "walker", Code.INVALID_ARGUMENT, "Metadata field x is not supported"),
        (["signature_def"], "m", Code.NOT_FOUND, "Servable not found for request: Latest(m)"),
        (["signature_def"], None, Code.INVALID_ARGUMENT, "Missing ModelSpec"),
    ],
)
def test_wrong_metadata_requests(plain, fields, name, code, words):
    with refused(code, words):
        plain.prediction.GetModelMetadata(metadata_request(fields, name), timeout=20)


def test_status_of_models(plain):
    [(version, status)] = plain.states().items()
    assert (version, status.state, status.status.error_code) == (1, 30, 0)
    with refused(Code.NOT_FOUND, "Could not find any versions of model m"):
        plain.states("m")
    with refused(Code.INVALID_ARGUMENT, "Missing ModelSpec"):
        plain.models.GetModelStatus(get_model_status_pb2.GetModelStatusRequest(), timeout=20)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "walker"
    request.model_spec.version.value = 9
    with refused(Code.NOT_FOUND, "Could not find version 9 of model walker"):
        plain.models.GetModelStatus(request, timeout=20)


def test_health(plain):
    assert plain.serving() == SERVING
    assert plain.serving("tensorflow.serving.PredictionService") == SERVING
    with refused(Code.NOT_FOUND):
        plain.serving("x")


def test_reload_is_off(plain):
    with refused(Code.UNIMPLEMENTED, "HandleReloadConfigRequest is off"):
        plain.models.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(), timeout=20)


@settings(max_examples=examples(60), deadline=None)
@given(raw=st.binary(max_size=200))
@example(raw=b"")
def test_any_bytes_get_an_answer(plain, raw):
    call = plain.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError) as caught:
        call(raw, timeout=20)
    assert caught.value.code() in (Code.INVALID_ARGUMENT, Code.NOT_FOUND)


tensors = st.builds(
    lambda dtype, dims, content, floats: {
        "dtype": dtype,
        "shape": dims,
        "tensor_content": content,
        "float_val": floats,
    },
    dtype=st.sampled_from([1, 1, 1, 0, 2, 3, 7, 19, 101]),
    dims=st.one_of(st.just([1, FRAMES, JOINTS, 3]), st.lists(st.integers(0, 2**62), max_size=6)),
    content=st.one_of(st.just(b""), st.binary(max_size=300), st.binary(min_size=240, max_size=240)),
    floats=st.lists(st.floats(width=32), max_size=70),
)


@settings(max_examples=examples(100), deadline=None)
@given(fields=tensors)
def test_any_tensor_gets_an_answer(plain, fields):
    call = plain.prediction.Predict.future(changed(tensor(**fields)), timeout=20)
    if call.code() == Code.OK:
        assert np.isfinite(call.result().outputs["score"].float_val).all()
    else:
        assert call.code() == Code.INVALID_ARGUMENT, call.details()
        assert "skeletons" in call.details()
