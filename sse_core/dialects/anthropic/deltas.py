"""Which of Anthropic's events are a delta of text and nothing else, in the bytes of the stream.

Source: https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

import re

#: What stands before the text, the text as JSON writes it, what stands behind it.  Anthropic pads the
#: object with spaces to blur its length; these stay out.
DELTA = re.compile(
    rb'(event: content_block_delta\ndata: \{"type": ?"content_block_delta", ?"index": ?[0-9]+, ?'
    rb'"delta": ?\{"type": ?(?:"text_delta", ?"text"|"thinking_delta", ?"thinking"|'
    rb'"input_json_delta", ?"partial_json"): ?")'
    rb'((?:[^"\\\n]++|\\.)*+)'
    rb'("\}) *(\}\n)'
)
