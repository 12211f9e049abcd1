"""espeak-ng in this process, from the library that the package espeakng-loader brings."""

from __future__ import annotations

import ctypes
from functools import cached_property

import espeakng_loader

__all__ = ["Synthesiser"]

_SYNCHRONOUS = 2
_UTF8 = 1
_BUFFER_MS = 200
_CHARACTERS = 1
_RATE_PARAMETER = 1
_Received = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Synthesiser:
    """A speaker. One in a process: the library has one state.

    Attributes:
        rate: samples a second of what `speak` gives.
    """

    def __init__(self, words_a_minute: int = 165) -> None:
        """Load the library and its voices.

        Raises:
            RuntimeError: they cannot be loaded.
        """
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.rate: int = self._library.espeak_Initialize(
            _SYNCHRONOUS, _BUFFER_MS, espeakng_loader.get_data_path().encode(), 0
        )
        if self.rate <= 0:
            raise RuntimeError("espeak-ng does not find its voices")
        self._sound = bytearray()
        self._library.espeak_SetSynthCallback(self._receive)
        self._library.espeak_SetParameter(_RATE_PARAMETER, words_a_minute, 0)

    def speak(self, text: str, voice: str) -> bytes:
        """A text as sound: 16 bits a sample, one channel.

        Args:
            voice: a name that espeak-ng knows, `en` or `cmn` for instance.

        Raises:
            RuntimeError: there is no such voice, or it could not be spoken.
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice {voice!r}")
        self._sound.clear()
        # A zero byte would end the text.
        spoken = text.replace("\0", " ").encode() + b"\0"
        size = ctypes.c_size_t(len(spoken))
        failed = self._library.espeak_Synth(spoken, size, 0, _CHARACTERS, 0, _UTF8, None, None)
        if failed:
            raise RuntimeError(f"espeak-ng could not speak (error {failed})")
        return bytes(self._sound)

    # Kept as long as the synthesiser: the library calls it.
    @cached_property
    def _receive(self) -> object:
        sound = self._sound

        def receive(samples: ctypes._Pointer[ctypes.c_short], count: int, _: object) -> int:
            # None at the end of a text.
            if count > 0:
                sound.extend(ctypes.string_at(samples, count * 2))
            return 0

        return _Received(receive)
