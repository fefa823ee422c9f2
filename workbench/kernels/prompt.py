"""A client that hears its kernel before it asks anything, for whoever executes cells and keeps what they show.

Imported by whoever executes a notebook, because it needs Jupyter's client.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient

__all__ = ["PromptClient"]


class PromptClient(AsyncKernelClient):
    """A client that knows when its kernel is ready, instead of waiting for a fifth of a second of silence."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel has answered, and all that it said before has been heard.

        Parameters
        ----------
        timeout
            Seconds; None for as long as the kernel lives.

        Raises
        ------
        RuntimeError
            When it has ended, or does not answer in time.
        """
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            asked = self.kernel_info()
            with suppress(Empty):
                while (answer := await self.get_shell_msg(timeout=1))["parent_header"].get("msg_id") != asked:
                    pass
                # Idle, after this very question: the other channel is open too, and nothing older is left in it.
                while not _is_idle(await self.get_iopub_msg(timeout=0.2), asked):
                    pass
                self._handle_kernel_info_reply(answer)
                return
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > end:
                raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")


def _is_idle(message: Mapping[str, Any], asked: str) -> bool:
    content, parent = message["content"], message["parent_header"]
    is_idle = message["msg_type"] == "status" and content["execution_state"] == "idle"
    return bool(is_idle and parent.get("msg_id") == asked)
