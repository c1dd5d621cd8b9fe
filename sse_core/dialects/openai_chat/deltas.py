"""Which chunks are a delta of one choice's text and nothing else, in the bytes of the stream.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import re

#: A value without any other in it.
_PLAIN = rb'(?:"[^"\\\n]*+"|[0-9]+|null)'
_NAMES = rb"(?:content|refusal|reasoning_content|reasoning|reasoning_text|thinking)"
_TEXT = rb'(?:"role": ?"assistant", ?)?"' + _NAMES + rb'": ?"'
_ARGUMENTS = rb'"tool_calls": ?\[\{"index": ?[0-9]+, ?"function": ?\{"arguments": ?"'
#: What stands before the text, the text as JSON writes it, what stands behind it.  An empty text says
#: that there is one, so it stays alone.  OpenAI blurs a chunk's length by ``obfuscation``, which says
#: nothing and stays out.
DELTA = re.compile(
    rb'(data: \{(?:"[a-z_]+": ?' + _PLAIN + rb', ?)*+"choices": ?\[\{"index": ?[0-9]+, ?"delta": ?\{'
    rb"(?:" + _TEXT + rb"|" + _ARGUMENTS + rb"))"
    rb'((?:[^"\\\n]++|\\.)++)'
    rb'("(?:\}\}\])?\}(?:, ?"(?:logprobs|finish_reason)": ?null)*+\}\]'
    rb'(?:, ?"(?!obfuscation")[a-z_]+": ?' + _PLAIN + rb")*+)"
    rb'(?:, ?"obfuscation": ?"[^"\\\n]*+")?(\}\n)'
)
