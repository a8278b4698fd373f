"""A plugin of pytest: what a chapter shows while nbval runs it is kept, so that the build need not run it a second time.

nbval asks whether every cell runs, and drops what the cells show. Here nbclient, which the build uses as well, reads the same
messages. A chapter of which every cell has passed lies in `_build/executed`; site_execution.py takes it from there while its
digest is still that of the day.
"""

import time
from collections.abc import Generator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbval.plugin import IPyNbCell, IPyNbFile
from site_execution import EXECUTED, digest


class Recording:
    """The outputs of one notebook, cell by cell, and the state of its widgets."""

    def __init__(self, notebook: IPyNbFile, root: Path) -> None:
        self.started, self.digest = time.perf_counter(), digest(root, notebook.path)
        self.file = root / EXECUTED / notebook.path.name
        self.file.unlink(missing_ok=True)  # an earlier run's, which this one may contradict
        self.client = NotebookClient(deepcopy(notebook.nb), record_timing=False)  # nbval compares its own with what the file holds
        self.client.kc = notebook.kernel.kc
        execute = notebook.kernel.kc.execute  # nbval asks for no history, and IPython then shows what a semicolon hides
        notebook.kernel.kc.execute = lambda code, **options: execute(code, **(options | {"store_history": True}))
        self.places = [place for place, cell in enumerate(self.client.nb.cells) if cell.cell_type == "code"]
        self.passed, self.cell, self.request = 0, 0, ""
        self.receive = notebook.get_kernel_message
        notebook.get_kernel_message = self.listen

    def listen(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Hand nbval the kernel's next message, and read it along the way."""
        message: dict[str, Any] = self.receive(*args, **options)
        if message["msg_type"] == "execute_input":
            self.request = message["parent_header"]["msg_id"]
        if message["parent_header"].get("msg_id") == self.request:  # nbclient as well drops what other cells still say
            with suppress(CellExecutionComplete):
                self.client.process_message(message, self.client.nb.cells[self.cell], self.cell)
        return message

    def begin(self, number: int) -> None:
        """Take what comes now for what code cell ``number`` shows."""
        self.cell, self.client.clear_before_next_output = self.places[number], False

    def finish(self) -> None:
        """Count a cell that has passed; write the notebook after its last."""
        self.passed += 1
        if self.passed < len(self.places):
            return
        notebook = self.client.nb
        self.client.set_widgets_metadata()
        notebook.metadata.executed = {"digest": self.digest, "seconds": time.perf_counter() - self.started}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")  # a run that is ended here leaves no half a notebook
        part.write_text(nbformat.writes(notebook), encoding="utf-8")  # type: ignore[no-untyped-call]
        part.replace(self.file)


RECORDING = pytest.StashKey[Recording]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    if not isinstance(item, IPyNbCell):
        return (yield)
    notebook = item.parent
    if RECORDING not in notebook.stash:
        notebook.stash[RECORDING] = Recording(notebook, item.config.rootpath)
    recording = notebook.stash[RECORDING]
    recording.begin(item.cell_num)
    result = yield  # raises where the cell fails, and it is not counted
    recording.finish()
    return result
