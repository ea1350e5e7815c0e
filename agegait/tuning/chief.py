"""A search in several processes: keras-tuner's chief, which has the oracle, and its workers, which run trials."""

import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

# Private parts of keras-tuner, whose version is pinned for them: its public chief starts by environment variables
# alone and never ends.
from keras_tuner.src import protos
from keras_tuner.src.distribute import oracle_client
from keras_tuner.src.distribute.oracle_chief import OracleServicer
from keras_tuner.src.distribute.utils import is_chief_oracle

from agegait.tuning.search_oracle import SearchOracle

VARIABLES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")


def role() -> str:
    """What this process is by its environment: `"alone"`, `"chief"` or `"worker"`.

    Raises:
        ValueError: keras-tuner's variables are not all there, or one makes no sense.
    """
    given = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    if not {*VARIABLES[1:]} & set(given):
        return "alone"
    if missing := [name for name in VARIABLES if name not in given]:
        raise ValueError(f"{', '.join(missing)}: expected beside {', '.join(given)} in the environment, found none.")
    if not re.fullmatch(r"[\w.-]*\w[\w.-]*", given["KERASTUNER_TUNER_ID"]):
        expected = "a name of letters, digits, dots and dashes"
        raise ValueError(f"KERASTUNER_TUNER_ID: expected {expected}, found {given['KERASTUNER_TUNER_ID']!r}.")
    return "chief" if is_chief_oracle() else "worker"


def serve(oracle: SearchOracle, patience: float) -> None:
    """Gives trials to workers until the search is at its end and each of them knows.

    keras-tuner's own loop waits without end for workers that are gone.

    Args:
        oracle: Says what to try.
        patience: Seconds to wait for any sign of any worker.

    Raises:
        RuntimeError: The address is taken, or no worker is left.
    """
    # One thread, as keras-tuner has it: the oracle is not made for more.
    server = grpc.server(ThreadPoolExecutor(max_workers=1), options=[("grpc.so_reuseport", 0)])
    servicer = OracleServicer(oracle)
    protos.get_service_grpc().add_OracleServicer_to_server(servicer, server)
    server.add_insecure_port(address())
    server.start()
    try:
        while not (servicer.stop_triggered and oracle.idle):
            if time.monotonic() - oracle.last_heard > patience:
                raise RuntimeError(
                    f"{address()}: no worker was heard of for {patience:g} seconds, with {len(oracle.ended)} of "
                    f"{oracle.planned} trials done. The same commands take the search up again."
                )
            time.sleep(0.1)
    finally:
        server.stop(grace=5).wait()


def await_record(path: Path, patience: float) -> None:
    """Lets a worker wait until its chief has said in the folder that they share what is searched.

    Raises:
        RuntimeError: It has not within so many seconds.
    """
    deadline = time.monotonic() + patience
    while not path.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"{path}: expected from a chief with the same folder, found none after {patience:g} seconds."
            )
        time.sleep(0.1)


def work(search: Callable[[], None], patience: float) -> None:
    """Runs a worker's search.

    Args:
        search: Asks the chief for trials until there are no more.
        patience: Seconds to wait for the chief.

    Raises:
        RuntimeError: The chief is not there, or not any more.
    """
    oracle_client.TIMEOUT = patience  # its own is an hour
    try:
        search()
    except grpc.RpcError as error:
        raise RuntimeError(f"{address()}: expected a chief: {error.details()}") from error  # type: ignore[attr-defined]


def address() -> str:
    """The chief's, from the environment."""
    return f"{os.environ['KERASTUNER_ORACLE_IP']}:{os.environ['KERASTUNER_ORACLE_PORT']}"
