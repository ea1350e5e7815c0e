import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_KNOWN: _ClassVar[Outcome]
    OUTCOME_UNKNOWN: _ClassVar[Outcome]
    OUTCOME_POOR: _ClassVar[Outcome]
    OUTCOME_NOT_ENOUGH_FRAMES: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_KNOWN: Outcome
OUTCOME_UNKNOWN: Outcome
OUTCOME_POOR: Outcome
OUTCOME_NOT_ENOUGH_FRAMES: Outcome

class Walk(_message.Message):
    __slots__ = ("skeleton", "tracked", "frame_rate")
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    TRACKED_FIELD_NUMBER: _ClassVar[int]
    FRAME_RATE_FIELD_NUMBER: _ClassVar[int]
    skeleton: bytes
    tracked: bytes
    frame_rate: float
    def __init__(self, skeleton: _Optional[bytes] = ..., tracked: _Optional[bytes] = ..., frame_rate: _Optional[float] = ...) -> None: ...

class Quality(_message.Message):
    __slots__ = ("frames", "tracked", "steadiness", "fault")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    TRACKED_FIELD_NUMBER: _ClassVar[int]
    STEADINESS_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    frames: int
    tracked: float
    steadiness: float
    fault: str
    def __init__(self, frames: _Optional[int] = ..., tracked: _Optional[float] = ..., steadiness: _Optional[float] = ..., fault: _Optional[str] = ...) -> None: ...

class Threshold(_message.Message):
    __slots__ = ("distance", "false_alarms", "extrapolated", "generated")
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    FALSE_ALARMS_FIELD_NUMBER: _ClassVar[int]
    EXTRAPOLATED_FIELD_NUMBER: _ClassVar[int]
    GENERATED_FIELD_NUMBER: _ClassVar[int]
    distance: float
    false_alarms: float
    extrapolated: bool
    generated: bool
    def __init__(self, distance: _Optional[float] = ..., false_alarms: _Optional[float] = ..., extrapolated: bool = ..., generated: bool = ...) -> None: ...

class Match(_message.Message):
    __slots__ = ("person", "distance", "probability", "accepted")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    person: str
    distance: float
    probability: float
    accepted: bool
    def __init__(self, person: _Optional[str] = ..., distance: _Optional[float] = ..., probability: _Optional[float] = ..., accepted: bool = ...) -> None: ...

class Person(_message.Message):
    __slots__ = ("number", "name", "consent", "enrolled", "expires", "walks")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    ENROLLED_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    WALKS_FIELD_NUMBER: _ClassVar[int]
    number: int
    name: str
    consent: str
    enrolled: _timestamp_pb2.Timestamp
    expires: _timestamp_pb2.Timestamp
    walks: int
    def __init__(self, number: _Optional[int] = ..., name: _Optional[str] = ..., consent: _Optional[str] = ..., enrolled: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., walks: _Optional[int] = ...) -> None: ...

class EnrolRequest(_message.Message):
    __slots__ = ("person", "walks", "consent", "expires")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    WALKS_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    person: str
    walks: _containers.RepeatedCompositeFieldContainer[Walk]
    consent: str
    expires: _timestamp_pb2.Timestamp
    def __init__(self, person: _Optional[str] = ..., walks: _Optional[_Iterable[_Union[Walk, _Mapping]]] = ..., consent: _Optional[str] = ..., expires: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class EnrolResponse(_message.Message):
    __slots__ = ("person",)
    PERSON_FIELD_NUMBER: _ClassVar[int]
    person: Person
    def __init__(self, person: _Optional[_Union[Person, _Mapping]] = ...) -> None: ...

class ForgetRequest(_message.Message):
    __slots__ = ("person",)
    PERSON_FIELD_NUMBER: _ClassVar[int]
    person: str
    def __init__(self, person: _Optional[str] = ...) -> None: ...

class ForgetResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPeopleRequest(_message.Message):
    __slots__ = ("page_size", "after")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    after: int
    def __init__(self, page_size: _Optional[int] = ..., after: _Optional[int] = ...) -> None: ...

class ListPeopleResponse(_message.Message):
    __slots__ = ("people", "next")
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    people: _containers.RepeatedCompositeFieldContainer[Person]
    next: int
    def __init__(self, people: _Optional[_Iterable[_Union[Person, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class IdentifyRequest(_message.Message):
    __slots__ = ("walk", "false_alarms", "k", "threshold")
    WALK_FIELD_NUMBER: _ClassVar[int]
    FALSE_ALARMS_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    walk: Walk
    false_alarms: float
    k: int
    threshold: float
    def __init__(self, walk: _Optional[_Union[Walk, _Mapping]] = ..., false_alarms: _Optional[float] = ..., k: _Optional[int] = ..., threshold: _Optional[float] = ...) -> None: ...

class IdentifyResponse(_message.Message):
    __slots__ = ("outcome", "person", "matches", "threshold", "quality", "people")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    person: str
    matches: _containers.RepeatedCompositeFieldContainer[Match]
    threshold: Threshold
    quality: Quality
    people: int
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., person: _Optional[str] = ..., matches: _Optional[_Iterable[_Union[Match, _Mapping]]] = ..., threshold: _Optional[_Union[Threshold, _Mapping]] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ..., people: _Optional[int] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ("person", "walk", "false_accepts", "threshold")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    WALK_FIELD_NUMBER: _ClassVar[int]
    FALSE_ACCEPTS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    person: str
    walk: Walk
    false_accepts: float
    threshold: float
    def __init__(self, person: _Optional[str] = ..., walk: _Optional[_Union[Walk, _Mapping]] = ..., false_accepts: _Optional[float] = ..., threshold: _Optional[float] = ...) -> None: ...

class VerifyResponse(_message.Message):
    __slots__ = ("outcome", "match", "threshold", "quality")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    match: Match
    threshold: Threshold
    quality: Quality
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., match: _Optional[_Union[Match, _Mapping]] = ..., threshold: _Optional[_Union[Threshold, _Mapping]] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ...) -> None: ...

class WatchSettings(_message.Message):
    __slots__ = ("false_alarms", "k", "threshold", "last")
    FALSE_ALARMS_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    false_alarms: float
    k: int
    threshold: float
    last: int
    def __init__(self, false_alarms: _Optional[float] = ..., k: _Optional[int] = ..., threshold: _Optional[float] = ..., last: _Optional[int] = ...) -> None: ...

class WatchWalkRequest(_message.Message):
    __slots__ = ("walk", "settings", "reset")
    WALK_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    walk: Walk
    settings: WatchSettings
    reset: bool
    def __init__(self, walk: _Optional[_Union[Walk, _Mapping]] = ..., settings: _Optional[_Union[WatchSettings, _Mapping]] = ..., reset: bool = ...) -> None: ...

class WatchWalkResponse(_message.Message):
    __slots__ = ("answer", "frames")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    answer: IdentifyResponse
    frames: int
    def __init__(self, answer: _Optional[_Union[IdentifyResponse, _Mapping]] = ..., frames: _Optional[int] = ...) -> None: ...
