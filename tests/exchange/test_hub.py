"""Frames leave many at a time; every reader must find each of them whole (RFC 6455, 5.2)."""

import asyncio

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from polybawt.exchange.hub import BURST_MAX, Subscriber, framed


class Wire(asyncio.WriteTransport):
    """Takes what is written, and ends after so many writes."""

    def __init__(self, writes_max: int) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self._writes_max = writes_max

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return len(self.writes) >= self._writes_max

    def get_write_buffer_size(self) -> int:
        return 0


def read_back(written: bytes) -> list[bytes]:
    reader, frames = StreamReader(), []
    reader.feed_data(written)
    reader.feed_eof()  # a frame that promises more than there is fails
    while reader.buffer:
        frames.append(next_frame(reader))
    return frames


def next_frame(reader: StreamReader) -> bytes:
    parsing = Frame.parse(reader.read_exact, mask=False, max_size=None)
    try:
        while True:
            next(parsing)
    except StopIteration as done:
        frame: Frame = done.value
    assert frame.opcode is Opcode.TEXT
    assert frame.fin
    return bytes(frame.data)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_of_any_size_is_read_back_whole(size: int) -> None:
    assert read_back(framed(b"x" * size)) == [b"x" * size]


async def test_frames_that_wait_leave_together_and_in_order() -> None:
    """One write for all of them: that is what lets one subscriber hear ten thousand a second."""
    subscriber, wire = Subscriber(lambda: None), Wire(writes_max=2)
    texts = [str(number).encode() for number in range(BURST_MAX + 3)]
    for text in texts:
        subscriber.answer(text)

    await subscriber.write_all(wire)

    assert [len(read_back(written)) for written in wire.writes] == [BURST_MAX, 3]
    assert [text for written in wire.writes for text in read_back(written)] == texts
